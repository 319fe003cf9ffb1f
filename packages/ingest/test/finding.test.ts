import { formatInstant, parseInstant, TidegateError } from '@tidegate/core'
import type { Relay } from '@tidegate/relay'
import { expect, it } from 'vitest'
import { questionsOfTick } from '../src/questions.ts'
import { DATASET, eachWorld, relayWith } from './world.ts'

/** A Thursday, 08:00 in New York. */
const NOW = parseInstant('2026-03-12T12:00Z')

const { world } = eachWorld(NOW)

const namesOf = (letter: string, count: number) => Array.from({ length: count }, (_, i) => `${letter}${i}.NASDAQ`)
const declare = (name: string, instruments: readonly string[], more: Partial<typeof DATASET> = {}) =>
  world.ingest.declare({ ...DATASET, name, instruments: [...instruments], specs: ['DAILY'], ...more })
const statusOf = async (name: string) => (await world.ingest.datasets(name))[0]

/** The world's ingest; whom its gateway is asked about is noted, minute by minute, and answered by `answer` where it knows one. */
function asking(answer: (name: string) => Promise<never> | undefined = () => undefined) {
  const asked: string[] = []
  const contracts: Relay['contracts'] = async (request, signal) => {
    const name = request.contract.localSymbol ?? ''
    asked.push(name)
    return (await answer(name)) ?? world.relay.contracts(request, signal)
  }
  const ingest = world.another({ relay: relayWith(world.relay, { contracts }) })
  return {
    asked,
    /** One tick, a minute after the last. */
    async minute(): Promise<string[]> {
      asked.length = 0
      await ingest.tick()
      world.clock.nowMs += 60_000
      return [...asked]
    },
  }
}

it('names that IBKR does not know hold up no other dataset, and all of them are asked for in turn', async () => {
  await declare('a', namesOf('Q', 130))
  await declare('b', ['MSFT.NASDAQ', 'W.NASDAQ'])
  expect((await statusOf('a'))?.unasked).toBe(130)
  const { minute } = asking()
  const first = await minute()
  expect(first).toHaveLength(100)
  expect(first).toEqual(expect.arrayContaining(['MSFT', 'W', 'Q0']))
  expect(await statusOf('b')).toMatchObject({ unasked: 0, series: [{ instrumentId: 'MSFT.NASDAQ' }] })
  expect(await statusOf('a')).toMatchObject({ unasked: 32, problems: expect.objectContaining({ length: 98 }) })
  const rest = await minute()
  expect(new Set([...first, ...rest])).toHaveLength(132)
  expect(rest).toHaveLength(32)
  // An hour on, what was asked for longest ago goes first.
  world.clock.nowMs += 3600_000
  expect((await minute()).filter((name) => first.includes(name)).length).toBe(99)
})

it('of more datasets with names to find than a tick has questions none waits for ever', () => {
  const all = Array.from({ length: 205 }, (_, i) => i)
  const asking = new Set<number>()
  for (let minute = 0; minute < 3; minute++) {
    const questions = questionsOfTick(
      all,
      () => 1000,
      () => NOW * 1000 + minute * 60_000,
    )
    expect(new Set(questions.turns)).toHaveLength(205)
    const shares = questions.turns.map((one, turn) => [one, questions.shareOf(turn).left] as const)
    expect(shares.reduce((sum, [, share]) => sum + share, 0)).toBe(100)
    for (const [one, share] of shares) if (share > 0) asking.add(one)
  }
  expect(asking).toHaveLength(205)
})

it('names without an answer in time wait a little, and let those that were not asked go first', async () => {
  await declare('a', [...namesOf('A', 100), ...namesOf('B', 20)])
  const late = () => Promise.reject(new TidegateError('timeout', 'No answer in time.'))
  const { minute } = asking((name) => (name.startsWith('A') ? late() : undefined))
  expect((await minute()).every((name) => name.startsWith('A'))).toBe(true)
  expect((await statusOf('a'))?.dueAt).toBe(NOW + 60)
  expect((await minute()).toSorted()).toEqual(
    namesOf('B', 20)
      .map((name) => name.split('.')[0])
      .toSorted(),
  )
  expect(await minute()).toEqual([])
  world.clock.nowMs += 120_000
  expect(await minute()).toHaveLength(100)
  // What the plan counts is what nothing was learned of.
  const plan = await world.ingest.plan({ dataset: 'a' })
  expect(plan.series).toHaveLength(100)
})

it('a bridge that hangs holds up a tick for a while and no longer, and every name is asked for later', async () => {
  await declare('a', namesOf('A', 3))
  await declare('b', namesOf('B', 3))
  await declare('c', namesOf('C', 3))
  const timeouts: number[] = []
  const asked: string[] = []
  const hanging: Relay['contracts'] = ({ contract }, signal) => {
    asked.push(contract.localSymbol ?? '')
    return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('hung up'))))
  }
  const timeout = (ms: number) => {
    if (ms === STATUS_MS) return new AbortController().signal
    timeouts.push(ms)
    const controller = new AbortController()
    setImmediate(() => {
      world.clock.nowMs = Math.max(world.clock.nowMs, NOW * 1000 + 30_000 * Math.ceil(timeouts.length / 3))
      controller.abort()
    })
    return controller.signal
  }
  const hung = world.another({ timeout, relay: relayWith(world.relay, { contracts: hanging }) })
  const { problems } = await hung.tick()
  expect(new Set(timeouts)).toEqual(new Set([30_000]))
  // After two that hung for half a minute each no other is tried.
  expect(asked.toSorted()).toEqual(['A0', 'A1', 'A2', 'B0', 'B1', 'B2'])
  expect(problems[0]).toMatchObject({ error: { kind: 'timeout', message: expect.stringContaining('within 30 s') } })
  await expect(hung.start({ ...FETCH, instruments: ['A0.NASDAQ'] })).rejects.toMatchObject({ kind: 'timeout' })
  expect((await statusOf('c'))?.unasked).toBe(3)
  expect(formatInstant((await statusOf('c'))?.dueAt ?? 0)).toBe('2026-03-12T12:01:00Z')
  world.clock.nowMs = NOW * 1000 + 400_000
  const { minute } = asking()
  expect(await minute()).toHaveLength(9)
})

it('a bridge that does not even say how it is is waited for once in a tick', async () => {
  for (const name of ['a', 'b', 'c']) await declare(name, namesOf(name.toUpperCase(), 2))
  let asked = 0
  const status: Relay['status'] = (signal) => {
    asked++
    return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(HUNG_UP)))
  }
  const timeout = () => {
    const controller = new AbortController()
    setImmediate(() => controller.abort())
    return controller.signal
  }
  const hung = world.another({ timeout, relay: relayWith(world.relay, { status }) })
  expect((await hung.tick()).problems).toHaveLength(6)
  expect(asked).toBe(1)
  world.clock.nowMs += 60_000
  await hung.tick()
  expect(asked).toBe(2)
})

const STATUS_MS = 10_000
const HUNG_UP = new TidegateError('disconnected', 'The bridge did not answer.')
const FETCH = { specs: ['DAILY'], hours: 'regular', window: { start: NOW - 86_400, end: NOW } } as const
