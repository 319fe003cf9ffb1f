import { parseInstant, type Window } from '@tidegate/core'
import type { Ingest } from '@tidegate/ingest'
import { describe, expect, it } from 'vitest'
import { type Fault, faulty } from './faults.ts'
import { barsIn, STOCKS } from './market.ts'
import { coveredOf, eachWorld } from './world.ts'

const at = parseInstant
const NOW = at('2026-03-12T12:00Z')
const WINDOW: Window = { start: at('2026-02-25T15:00Z'), end: at('2026-03-06T16:00Z') }
const REQUEST = { instruments: ['AAPL'], specs: ['1-MINUTE-LAST'], hours: 'regular', window: WINDOW } as const
/** Longer than a lease, and than the grace a message on its way is given. */
const LATER_MS = 400_000

const { world } = eachWorld(NOW)

/** An ingest that dies at the n-th call of this name, and stays dead: whatever it calls after fails too. */
function dying(call: string, nth: number, fault: Fault): { readonly ingest: Ingest; readonly died: () => boolean } {
  let seen = 0
  let dead = false
  const parts = faulty(world, (name) => {
    if (dead) return 'before'
    if (name !== call || ++seen !== nth) return undefined
    dead = true
    return fault
  })
  return { ingest: world.another(parts), died: () => dead }
}

/** Sweeps and works until nothing is left to do. */
async function recover(): Promise<void> {
  for (let round = 0; round < 5; round++) {
    world.clock.nowMs += LATER_MS
    await world.ingest.sweep()
    await world.drain({ forSec: 60 })
  }
}

async function expectComplete(): Promise<void> {
  const [series] = await world.store.series()
  expect(await coveredOf(world.store, '1-MINUTE-LAST')).toEqual([WINDOW])
  const bars = await world.store.bars(series?.id ?? 0, { start: 0, end: 4e9 }, 1e6)
  expect(bars).toEqual(barsIn(STOCKS, 60, WINDOW, NOW))
  expect(await world.store.outbox(100)).toEqual([])
  expect(await world.store.due(world.clock.nowMs / 1000 + 1e6, 100)).toEqual([])
}

describe('a worker that dies', () => {
  const points = [
    ...(['store.claim', 'relay.status', 'relay.bars', 'store.commit'] as const).flatMap((call) =>
      (['before', 'after'] as const).map((fault) => [fault, call] as const),
    ),
  ]
  it.each(points)('%s %s leaves a chunk that another one finishes', async (fault, call) => {
    const { runId, chunks } = await world.ingest.start(REQUEST)
    expect(chunks).toBeGreaterThan(1)
    const { ingest, died } = dying(call, 1, fault)
    const [message] = world.queue.messages.splice(0, 1)
    await ingest.work(message?.chunkId ?? '').catch(() => {})
    expect(died()).toBe(true)
    await recover()
    await expectComplete()
    expect((await world.store.run(runId))?.state).toBe('done')
    const windows = world.relay.asked.map(({ end }) => end)
    // Only the answer that was lost is asked for again.
    const lost = call === 'relay.bars' && fault === 'after' ? 1 : call === 'store.commit' && fault === 'before' ? 1 : 0
    expect(windows.length - new Set(windows).size).toBe(lost)
  })

  it('while it settles a failure leaves the chunk to its lease', async () => {
    await world.ingest.start(REQUEST)
    for (const call of ['store.requeue', 'queue.send']) {
      world.relay.tamper = () => {
        throw new Error('a fault of the bridge')
      }
      const { ingest, died } = dying(call, 1, 'before')
      const [message] = world.queue.messages.splice(0, 1)
      await expect(ingest.work(message?.chunkId ?? '')).rejects.toThrow('gone')
      expect(died()).toBe(true)
    }
    world.relay.tamper = (_, answer) => answer
    await recover()
    await expectComplete()
  })
})

describe('a start that dies', () => {
  const calls = ['store.ensureSeries', 'store.gaps', 'store.createRun', 'store.outbox', 'queue.send', 'store.delivered']
  it.each(calls.flatMap((call) => (['before', 'after'] as const).map((fault) => [fault, call] as const)))(
    '%s %s, and is made again, completes',
    async (fault, call) => {
      const { ingest, died } = dying(call, 1, fault)
      await expect(ingest.start(REQUEST)).rejects.toThrow('gone')
      expect(died()).toBe(true)
      await world.ingest.start(REQUEST)
      await world.drain()
      await recover()
      await expectComplete()
      const windows = world.relay.asked.map(({ end }) => end)
      expect(new Set(windows).size).toBe(windows.length)
    },
  )
})

describe('a sweep', () => {
  it('brings back messages that were lost, and asks for nothing that is covered', async () => {
    await world.ingest.start(REQUEST)
    await world.ingest.work(world.queue.messages[0]?.chunkId ?? '')
    world.queue.messages.splice(0)
    expect((await world.ingest.sweep()).sent).toBe(0)
    await recover()
    await expectComplete()
    const windows = world.relay.asked.map(({ end }) => end)
    expect(new Set(windows).size).toBe(windows.length)
  })

  it('gives a chunk whose lease ran out to another worker, and the late one writes nothing', async () => {
    await world.ingest.start(REQUEST)
    const [message] = world.queue.messages.splice(0)
    const bars = world.relay.bars
    const slow = world.another({
      relay: {
        ...world.relay,
        async bars(request) {
          world.relay.tamper = (_, answer) => ({
            ...answer,
            bars: { ...answer.bars, c: answer.bars.c.map((price) => price + 1) },
          })
          const late = await bars(request)
          world.relay.tamper = (_, answer) => answer
          await recover()
          return late
        },
      },
    })
    expect(await slow.work(message?.chunkId ?? '')).toEqual({ outcome: 'nothing', written: 0 })
    await expectComplete()
  })

  it('forgets runs that ended a month ago, and not what they brought', async () => {
    const { runId } = await world.ingest.start(REQUEST)
    await recover()
    expect(await world.store.run(runId)).toBeDefined()
    world.clock.nowMs += 31 * 86_400_000
    for (let i = 0; i < 2; i++) await world.ingest.sweep()
    expect(await world.store.run(runId)).toBeUndefined()
    await expectComplete()
  })

  it('twice at once does no harm', async () => {
    await world.ingest.start(REQUEST)
    world.queue.messages.splice(0)
    world.clock.nowMs += LATER_MS
    await Promise.all([world.ingest.sweep(), world.ingest.sweep()])
    await Promise.all(world.queue.messages.splice(0).map(({ chunkId }) => world.ingest.work(chunkId)))
    await world.ingest.sweep()
    await expectComplete()
    const windows = world.relay.asked.map(({ end }) => end)
    expect(new Set(windows).size).toBe(windows.length)
  })
})
