import { type Hours, SPANS, type Spans, TidegateError } from '@tidegate/core'
import { z } from 'zod'
import { type BridgeAddress, bridgesSchema, ONLY } from './bridges.ts'
import { MIN_KEY_LENGTH } from './keys.ts'

type Environment = Readonly<Record<string, unknown>>

const wholeNumber = (least: number, most: number) => {
  const expected = { error: `expected a whole number from ${least} to ${most}` }
  return z.coerce.number(expected).int(expected).min(least, expected).max(most, expected)
}

const yesOrNo = z
  .enum(['true', 'false', '1', '0', 'yes', 'no'], { error: 'expected true or false' })
  .transform((text) => text === 'true' || text === '1' || text === 'yes')

const hours = z
  .enum(['true', 'false', '1', '0', 'yes', 'no'], { error: 'expected true or false' })
  .default('true')
  .transform((text): Hours => (text === 'true' || text === '1' || text === 'yes' ? 'regular' : 'all'))

const key = z
  .string({ error: `expected a key of at least ${MIN_KEY_LENGTH} characters` })
  .min(MIN_KEY_LENGTH, `expected a key of at least ${MIN_KEY_LENGTH} characters`)
  .regex(/^[\x21-\x7e]*$/, 'expected letters, digits and signs of ASCII: a key goes into an HTTP header')

const keys = z
  .string({ error: `expected a key of at least ${MIN_KEY_LENGTH} characters` })
  .transform((text) => text.split(',').map((key) => key.trim()))
  .pipe(z.array(key).max(2, 'expected one key, or two separated by a comma while they are rotated'))

const url = (protocol: RegExp, expected: string) => z.url({ protocol, error: `expected ${expected}` })
const postgres = url(/^postgres(ql)?$/, 'postgres://USER:PASSWORD@HOST:PORT/DATABASE')
const http = url(/^https?$/, 'a URL such as http://127.0.0.1:8787')

/** One bridge, or several in its place. */
const oneBridge = {
  BRIDGE_URL: http.default('http://127.0.0.1:8787'),
  BRIDGE_KEY: keys,
}
const severalBridges = {
  BRIDGES: bridgesSchema(http, key),
}

const common = {
  TIDEGATE_KEY: keys,
  IBKR_USE_RTH: hours,
  IBKR_RATE_LIMIT: wholeNumber(1, 50).default(45),
  IBKR_SPANS: z.enum(SPANS, { error: `expected ${SPANS.join(' or ')}` }).default('documented'),
  IBKR_ANSWER_TIME: wholeNumber(1, 60).default(2),
  TIDEGATE_WEBHOOKS_PRIVATE: yesOrNo.default(false),
}

const nodeSchema = z.object({
  ...common,
  DATABASE_URL: postgres.optional(),
  FUNCTIONS_HOST: z.string().min(1).default('127.0.0.1'),
  FUNCTIONS_PORT: wholeNumber(0, 65_535).default(8080),
})

const workerSchema = z.object({
  ...common,
  DATABASE_URL: postgres,
  DATABASE_HTTP_ENDPOINT: http.optional(),
})

export interface CommonSettings {
  /** One at least. */
  readonly bridges: readonly BridgeAddress[]
  readonly keys: readonly string[]
  readonly hours: Hours
  readonly messagesPerSec: number
  /** How long requests are. */
  readonly spans: Spans
  /** What an answer takes as a rule, seconds, for expected times. */
  readonly answerSec: number
  /** Whether webhooks may name addresses in private networks. */
  readonly webhooksPrivate: boolean
}

export interface FunctionsSettings extends CommonSettings {
  /** Undefined: the embedded database. */
  readonly databaseUrl: string | undefined
  readonly listen: { readonly host: string; readonly port: number }
}

export interface WorkerSettings extends CommonSettings {
  readonly databaseUrl: string
  /** A SQL-over-HTTP endpoint that is not Neon's own. */
  readonly databaseEndpoint: string | undefined
}

/** The settings of the functions on Node, from environment variables. Throws `invalid`, naming every fault at once and never a secret. */
export function readSettings(env: Environment): FunctionsSettings {
  const { s, bridges } = read(nodeSchema, z.object(oneBridge), env)
  const listen = { host: s.FUNCTIONS_HOST, port: s.FUNCTIONS_PORT }
  return { ...commonOf(s), bridges, databaseUrl: s.DATABASE_URL, listen }
}

/** The settings of the functions as a Worker, from its bindings. Throws `invalid`, as `readSettings` does. */
export function readWorkerSettings(env: Environment): WorkerSettings {
  // Nothing answers on a Worker's own machine: where its bridge is has to be said.
  const { s, bridges } = read(workerSchema, z.object({ ...oneBridge, BRIDGE_URL: http }), env)
  return { ...commonOf(s), bridges, databaseUrl: s.DATABASE_URL, databaseEndpoint: s.DATABASE_HTTP_ENDPOINT }
}

/** Their values are never shown. */
const SECRETS: ReadonlySet<string> = new Set(['BRIDGE_KEY', 'BRIDGES', 'TIDEGATE_KEY', 'DATABASE_URL'])
/** What stands for no list where a setting has to have a value. */
const NO_BRIDGES = '[]'

function read<S extends z.ZodType>(
  schema: S,
  one: z.ZodType<z.output<z.ZodObject<typeof oneBridge>>>,
  env: Environment,
) {
  const given = Object.fromEntries(
    Object.entries(env).filter(([name, value]) => value !== '' && !(name === 'BRIDGES' && value === NO_BRIDGES)),
  )
  const parsed = schema.safeParse(given)
  const several = given.BRIDGES === undefined ? undefined : z.object(severalBridges).safeParse(given)
  const single = several ? undefined : one.safeParse(given)
  const issues = [several, single, parsed].flatMap((result) => result?.error?.issues ?? [])
  if (issues.length > 0 || !parsed.success) throw wrong(issues, given)
  return { s: parsed.data, bridges: several?.data?.BRIDGES ?? (single?.data ? [onlyBridge(single.data)] : []) }
}

/** While the bridge's keys are rotated it takes either: the first is shown. */
function onlyBridge({ BRIDGE_URL, BRIDGE_KEY }: z.output<z.ZodObject<typeof oneBridge>>): BridgeAddress {
  return { name: ONLY, url: BRIDGE_URL, key: BRIDGE_KEY[0] ?? '' }
}

function wrong(issues: readonly z.core.$ZodIssue[], given: Environment): TidegateError {
  const faults = issues.map(({ path: [field, ...within], message }) => {
    const name = String(field)
    const place = within.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('')
    const shown = typeof given[name] === 'string' && !SECRETS.has(name) ? ` (it is "${given[name]}")` : ''
    return `  ${name}${name === 'BRIDGES' ? place : ''}: ${message}${shown}`
  })
  return new TidegateError('invalid', `The settings are wrong:\n${[...new Set(faults)].join('\n')}`)
}

function commonOf(s: z.output<z.ZodObject<typeof common>>): Omit<CommonSettings, 'bridges'> {
  return {
    keys: s.TIDEGATE_KEY,
    hours: s.IBKR_USE_RTH,
    messagesPerSec: s.IBKR_RATE_LIMIT,
    spans: s.IBKR_SPANS,
    answerSec: s.IBKR_ANSWER_TIME,
    webhooksPrivate: s.TIDEGATE_WEBHOOKS_PRIVATE,
  }
}
