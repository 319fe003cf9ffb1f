import assert from 'node:assert/strict'
import type { Plan, Planned } from './plan.ts'

/** How Pulumi marks an input that it encrypts in its state and hides in its output. */
const SECRET_MARK = '4dabf18193072939515e22adb298388d'

/** The environment of the code: binding name → kind. */
const BINDINGS = {
  CHUNKS: 'queue',
  DATABASE_URL: 'secret_text',
  BRIDGE_URL: 'secret_text',
  BRIDGE_KEY: 'secret_text',
  BRIDGES: 'secret_text',
  DEAD_LETTERS: 'plain_text',
  TIDEGATE_KEY: 'secret_text',
} as const

/** What is no secret is passed on as it is set. */
export const SETTINGS = {
  IBKR_SPANS: 'practical',
  TIDEGATE_WEBHOOKS_PRIVATE: 'true',
} as const

const CODE = 'packages/functions/src/worker.ts'

function ofType(plan: Plan, type: string): readonly Planned[] {
  return plan.resources.filter((resource) => resource.type === type)
}

function only(resources: readonly Planned[], what: string): Planned {
  const [first] = resources
  assert.ok(first !== undefined && resources.length === 1, `${resources.length} ${what}, expected one`)
  return first
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** A value with Pulumi's secret mark taken off. */
function unmarked(value: unknown): unknown {
  return isRecord(value) && SECRET_MARK in value ? value.value : value
}

function bindingsOf(script: Planned): readonly Record<string, unknown>[] {
  const bindings = unmarked(script.inputs.bindings)
  assert.ok(Array.isArray(bindings), `${script.name} has no bindings`)
  return bindings.filter(isRecord)
}

/** Paths below a value at which one of the secrets can be read without Pulumi's mark around it. */
function leaks(value: unknown, secrets: readonly string[], at: string): readonly string[] {
  if (typeof value === 'string') return secrets.some((secret) => value.includes(secret)) ? [at] : []
  if (!isRecord(value) || SECRET_MARK in value) return []
  return Object.entries(value).flatMap(([key, inner]) => leaks(inner, secrets, `${at}.${key}`))
}

/** Four Workers of one code, each with every binding that the code reads; only the HTTP one has an address. */
export function expectWorkers(plan: Plan): void {
  const scripts = ofType(plan, 'cloudflare:index/workersScript:WorkersScript')
  assert.deepEqual(scripts.map(({ name }) => name).sort(), [
    'ApiScript',
    'CHUNKSSubscriberFunctionScript',
    'FailedSubscriberFunctionScript',
    'TickHandlerScript',
  ])
  assert.deepEqual([...new Set(plan.handlers.values())], [CODE])
  for (const script of scripts) {
    const kinds = Object.fromEntries(bindingsOf(script).map(({ name, type }) => [name, type]))
    const settings = Object.fromEntries(Object.keys(SETTINGS).map((name) => [name, 'plain_text']))
    assert.deepEqual(kinds, { ...BINDINGS, ...settings, SST_RESOURCE_App: 'plain_text' }, script.name)
    for (const [name, value] of Object.entries(SETTINGS)) {
      assert.equal(bindingsOf(script).find((binding) => binding.name === name)?.text, value, script.name)
    }
    assert.deepEqual(script.inputs.compatibilityFlags, ['nodejs_compat'], script.name)
  }
  const addresses = plan.resources.filter(({ name }) => name.endsWith('WorkerUrl'))
  const open = addresses.filter(({ inputs }) => inputs.enabled === true).map(({ inputs }) => inputs.scriptName)
  assert.deepEqual(
    open,
    scripts.filter(({ name }) => name === 'ApiScript').map(({ inputs }) => inputs.scriptName),
  )
}

/** The tick, every minute, calls the cron's Worker. */
export function expectCron(plan: Plan): void {
  const trigger = only(ofType(plan, 'cloudflare:index/workersCronTrigger:WorkersCronTrigger'), 'cron triggers')
  assert.deepEqual(trigger.inputs.schedules, [{ cron: '* * * * *' }])
  assert.match(String(trigger.inputs.scriptName), /tickhandler/)
}

/** The queue that the code sends to is consumed, and what fails goes to the other, which the code knows by its name. */
export function expectQueue(plan: Plan): void {
  const consumers = ofType(plan, 'cloudflare:index/queueConsumer:QueueConsumer')
  const [burials, others] = [true, false].map((is) => consumers.filter(({ name }) => name.startsWith('Failed') === is))
  const consumer = only(others ?? [], 'consumers of chunks')
  const burial = only(burials ?? [], 'consumers of what failed')
  const queues = ofType(plan, 'cloudflare:index/queue:Queue')
  const nameOf = (name: string) => queues.find((queue) => queue.name === name)?.inputs.queueName
  assert.equal(queues.length, 2)
  assert.equal(consumer.inputs.queueId, 'CHUNKSQueue-id')
  assert.equal(burial.inputs.queueId, 'FailedQueue-id')
  assert.equal(consumer.inputs.deadLetterQueue, nameOf('FailedQueue'))
  assert.deepEqual(consumer.inputs.settings, {
    batchSize: 5,
    maxConcurrency: 2,
    maxRetries: 5,
    maxWaitTimeMs: 1000,
    retryDelay: 0,
  })
  for (const script of ofType(plan, 'cloudflare:index/workersScript:WorkersScript')) {
    const binding = bindingsOf(script).find(({ name }) => name === 'CHUNKS')
    assert.equal(binding?.queueName, nameOf('CHUNKSQueue'), script.name)
    const dead = bindingsOf(script).find(({ name }) => name === 'DEAD_LETTERS')
    assert.equal(dead?.text, nameOf('FailedQueue'), script.name)
  }
}

/** No secret is readable in an input, nor in a binding that Cloudflare's dashboard shows. */
export function expectNoLeaks(plan: Plan, secrets: readonly string[]): void {
  assert.deepEqual(
    plan.resources.flatMap(({ name, inputs }) => leaks(inputs, secrets, name)),
    [],
  )
  for (const script of ofType(plan, 'cloudflare:index/workersScript:WorkersScript')) {
    const shown = bindingsOf(script).filter(({ type }) => type !== 'secret_text')
    assert.deepEqual(leaks(shown, secrets, script.name), [])
  }
}
