import { parseInstant, TidegateError } from '@tidegate/core'
import { expect, it } from 'vitest'
import { DATASET, eachWorld } from './world.ts'

/** A Thursday, 08:00 in New York. */
const NOW = parseInstant('2026-03-12T12:00Z')
const LARGE = { ...DATASET, name: 'large', instruments: ['MSFT.NASDAQ'], specs: ['5-SECOND-LAST'], since: '43d' }

const { world, open } = eachWorld(NOW)

/** How many requests of the large dataset were asked before the small one's run had ended; the large one was there first. */
async function askedBefore(small: 'interactive' | 'scheduled', large: 'scheduled' | 'backfill'): Promise<number> {
  await world.ingest.declare({ ...LARGE, priority: large })
  await world.ingest.tick()
  expect((await world.store.runs({ limit: 1 }))[0]?.chunks.queued).toBeGreaterThan(1000)
  await world.ingest.declare({ ...DATASET, name: 'small', specs: ['5MIN', 'DAILY'], priority: small })
  expect((await world.ingest.tick()).runs).toMatchObject([{ dataset: 'small', chunks: 2 }])
  const ended = async () => {
    await world.ingest.sweep()
    return (await world.ingest.datasets('small'))[0]?.lastRun?.state === 'done'
  }
  while (!(await ended()) && world.relay.asked.length < 100) await world.drain({ most: 2 })
  return world.relay.asked.filter(({ barSize }) => barSize === '5 secs').length
}

it('a small run waits for none of a backfill, and of a run of its own priority for a few chunks at most', async () => {
  expect(await askedBefore('scheduled', 'backfill')).toBe(0)
  await open()
  expect(await askedBefore('scheduled', 'scheduled')).toBeLessThanOrEqual(20)
})

it('what the bridge can not let go yet comes back a little before there is room, unless it is a backfill', async () => {
  const waits = async (priority: 'scheduled' | 'backfill') => {
    await world.ingest.declare({ ...DATASET, specs: ['DAILY'], priority })
    await world.ingest.tick()
    world.relay.tamper = () => {
      throw new TidegateError('busy', 'later', { retryAfterMs: 90_000 })
    }
    await world.drain()
    const [message] = world.queue.messages
    const asked = world.relay.asked.map((one) => [one.priority, one.waitMs])
    return { waitedSec: ((message?.dueMs ?? 0) - world.clock.nowMs) / 1000, asked }
  }
  expect(await waits('scheduled')).toEqual({ waitedSec: 65, asked: [['scheduled', 40_000]] })
  await open()
  expect(await waits('backfill')).toEqual({ waitedSec: 90, asked: [['backfill', 20_000]] })
})
