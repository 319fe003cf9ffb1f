import { createPacing, type PacedJob, type RuledRequest, rulesWith } from '@tidegate/bridge'
import { PRIORITIES, TidegateError } from '@tidegate/core'
import { createPacingJudge, type Violation } from '@tidegate/simulator'
import fc from 'fast-check'
import { createSwiftClock } from './swift.ts'

const HOUR_MS = 3_600_000
/** The least that the way to the gateway takes, and what it takes more now and then, milliseconds. */
const WAY = { leastMs: 1, mostMs: 90 }

/** A stream of requests of one kind, all through a simulated day. */
export const streams = fc.record({
  kind: fc.constantFrom('small', 'small', 'minutes', 'ticks', 'head', 'realtime', 'details', 'message'),
  whatToShow: fc.constantFrom('TRADES', 'MIDPOINT', 'BID_ASK'),
  priority: fc.constantFrom(...PRIORITIES),
  caller: fc.constantFrom('a', 'b', 'c'),
  /** How many contracts it asks for: with one, the rules by contract bind. */
  contracts: fc.constantFrom(1, 3, 100),
  /** How many different requests there are for one of them: with few, twins come. */
  variety: fc.constantFrom(2, 1_000_000),
  /** Requests that come at once, and how long after that the next do. */
  burst: fc.constantFrom(1, 8, 70),
  everyMs: fc.constantFrom(300_000, 600_000, 1_800_000),
  lastsMs: fc.constantFrom(50, 3000, 60_000),
  waitMs: fc.constantFrom(0, 10_000, 600_000),
  /** Of a hundred, how many hang up, and how many fail. */
  hangsUp: fc.constantFrom(0, 20),
  fails: fc.constantFrom(0, 30),
})
export type Stream = Parameters<Parameters<typeof streams.map>[0]>[0]

/** Reproducible numbers in [0, 1): mulberry32. */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function ruleOf(stream: Stream, random: () => number): RuledRequest | undefined {
  const { kind, whatToShow } = stream
  if (kind === 'details' || kind === 'message') return undefined
  const contract = String(Math.floor(random() * stream.contracts))
  const end = Math.floor(random() * stream.variety)
  const identity = [kind, whatToShow, contract, end].join(' ')
  const common = { contract, exchange: 'SMART', whatToShow, identity }
  if (kind === 'small') return { ...common, kind: 'bars', barSec: 30 }
  if (kind === 'minutes') return { ...common, kind: 'bars', barSec: 60 }
  return { ...common, kind }
}

/** A day of these streams through pacing into the judge: what it found, and what became of the requests. */
export async function live(
  mix: readonly Stream[],
  { seed, hours, rate }: { seed: number; hours: number; rate: number },
) {
  const clock = createSwiftClock()
  const startMs = clock.now()
  const random = createRandom(seed)
  const judge = createPacingJudge({ identicalMinutes: true })
  const pacing = createPacing({ clock, rules: rulesWith({ messagesPerSec: rate }) })
  const violations: Violation[] = []
  const told = { asked: 0, went: 0, busy: 0, left: 0, failed: 0, late: 0 }
  let arrivedMs = 0

  const judged = (violation: Violation | undefined) => violation && violations.push(violation)

  /** The gateway reads in order, each message when the way allows it. */
  function arrive(): number {
    const wayMs = WAY.leastMs + (random() < 0.05 ? random() * WAY.mostMs : 0)
    arrivedMs = Math.max(arrivedMs, Math.floor(clock.now() + wayMs))
    judged(judge.message(arrivedMs, 1))
    return arrivedMs
  }

  async function cancel(id: string): Promise<void> {
    await pacing.message()
    arrive()
    judge.ended(id)
  }

  async function ask(stream: Stream): Promise<void> {
    const { priority, caller, waitMs, kind } = stream
    told.asked++
    const rule = ruleOf(stream, random)
    const hungUp = new AbortController()
    if (random() * 100 < stream.hangsUp) clock.after(random() * 20_000, () => hungUp.abort())
    const job: PacedJob = { priority, caller, waitMs, rule, signal: hungUp.signal }
    const fromMs = clock.now()
    try {
      await pacing.run(job, async () => {
        if (clock.now() > fromMs + waitMs) told.late++
        told.went++
        const id = String(told.went)
        const atMs = arrive()
        if (rule) judged(judge.request(atMs, rule))
        if (rule) judged(judge.opened(atMs, id))
        await new Promise<void>((resolve) => clock.after(random() * stream.lastsMs, resolve))
        // A head timestamp stays open until its cancel, a message like any other, has gone.
        if (kind === 'head') void cancel(id)
        else judge.ended(id)
        if (random() * 100 < stream.fails) throw new Error('It failed.')
      })
    } catch (error) {
      if (!(error instanceof TidegateError)) told.failed++
      else if (error.kind === 'busy') told.busy++
      else told.left++
    }
  }

  function start(stream: Stream): void {
    for (let i = 0; i < stream.burst; i++) {
      if (stream.kind === 'message') void pacing.message().then(arrive)
      else void ask(stream)
    }
    const nextMs = stream.everyMs * (0.5 + random())
    if (clock.now() + nextMs < startMs + hours * HOUR_MS) clock.after(nextMs, () => start(stream))
  }

  for (const stream of mix) start(stream)
  // A request waits for ten minutes at most, lasts for one at most, and the queue is empty then.
  await clock.runUntil(startMs + (hours + 1) * HOUR_MS)
  return { violations, told, stats: pacing.stats(), pending: clock.pending }
}
