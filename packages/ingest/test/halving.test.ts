import { type DatasetDefinition, parseInstant, TidegateError } from '@tidegate/core'
import { beforeEach, describe, expect, it } from 'vitest'
import { coveredOf, DATASET, eachWorld } from './world.ts'

const at = parseInstant
const DAY_SEC = 86_400
/** A Thursday, in the session. */
const NOW = at('2026-03-12T18:00Z')
const SPEC = '1-HOUR-ADJUSTED_LAST'
const ADJUSTED: DatasetDefinition = { ...DATASET, specs: [SPEC], since: '2025-03-12', schedule: { every: '1h' } }

const { world } = eachWorld(NOW)
let tooLong: string[]
beforeEach(() => {
  tooLong = []
})

/** Requests of more sessions are not answered in time. */
function answersUpTo(sessions: number): void {
  world.relay.tamper = ({ duration }, answer) => {
    if (Number.parseInt(duration, 10) <= sessions) return answer
    tooLong.push(duration)
    throw new TidegateError('timeout', 'no answer in 60 s')
  }
}

const tick = async (afterSec = 3600) => {
  world.clock.nowMs += afterSec * 1000
  const { chunks } = await world.ingest.tick()
  await world.drain({ forSec: 600 })
  await world.ingest.sweep()
  return chunks
}
const covered = () => coveredOf(world.store, SPEC)
const lastRun = async () => (await world.store.runs({ limit: 1 }))[0]

describe('a request up to now that times out', () => {
  it('again and again is asked for its newer half; the older has failed and says what to do', async () => {
    answersUpTo(200)
    await world.ingest.declare(ADJUSTED)
    expect(await tick(0)).toBe(1)
    expect(tooLong).toHaveLength(3)
    expect(await covered()).toMatchObject([{ end: at('2026-03-12T17:00Z') }])
    const [{ start } = { start: 0 }] = await covered()
    expect(NOW - start).toBeGreaterThan(180 * DAY_SEC)
    expect(await lastRun()).toMatchObject({
      state: 'failed',
      chunks: { done: 1, failed: 1 },
      error: { kind: 'timeout', message: expect.stringContaining('Ask for a later start') },
    })
  })

  it('is not asked for in vain by a schedule from then on, which keeps up what can be had', async () => {
    answersUpTo(200)
    await world.ingest.declare(ADJUSTED)
    await tick(0)
    for (let i = 0; i < 8; i++) await tick(3 * 3600)
    expect(tooLong).toHaveLength(3)
    expect(await covered()).toMatchObject([{ end: at('2026-03-13T17:00Z') }])
    // Somebody who asks by hand is believed to know better.
    await world.ingest.startDataset('d')
    await world.drain({ forSec: 600 })
    expect(tooLong).toHaveLength(6)
    answersUpTo(1000)
    await world.ingest.startDataset('d')
    await world.drain({ forSec: 600 })
    expect(await covered()).toMatchObject([{ start: at('2025-03-12') }])
  })

  it('is asked for whole again when that is forgotten', async () => {
    answersUpTo(200)
    await world.ingest.declare(ADJUSTED)
    await tick(0)
    answersUpTo(1000)
    await tick(31 * DAY_SEC)
    expect(await covered()).toMatchObject([{ start: at('2025-03-12') }])
  })

  it('once or twice is asked for as it is', async () => {
    let left = 2
    world.relay.tamper = (_, answer) => {
      if (left-- > 0) throw new TidegateError('timeout', 'no answer in 60 s')
      return answer
    }
    await world.ingest.declare(ADJUSTED)
    await tick(0)
    expect(await covered()).toMatchObject([{ start: at('2025-03-12') }])
    expect(await lastRun()).toMatchObject({ state: 'done', chunks: { done: 1 } })
  })
})

it('a chunk that ends now is halved like any other', async () => {
  answersUpTo(100)
  await world.ingest.declare({ ...ADJUSTED, specs: ['1-HOUR-LAST'] })
  await tick(0)
  expect(tooLong.length).toBeGreaterThan(0)
  expect(await coveredOf(world.store, '1-HOUR-LAST')).toEqual([
    { start: at('2025-03-12'), end: at('2026-03-12T17:00Z') },
  ])
  expect(await lastRun()).toMatchObject({ state: 'done' })
})
