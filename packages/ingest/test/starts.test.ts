import { parseInstant } from '@tidegate/core'
import type { Ingest } from '@tidegate/ingest'
import { expect, it } from 'vitest'
import { STOCKS } from './market.ts'
import { scheduleOf } from './schedule.ts'
import { DATASET, eachWorld, relayWith } from './world.ts'

/** A Thursday, half an hour after the opening: hourly bars start at 14:30 and 15:00, or count from the opening. */
const NOW = parseInstant('2026-03-12T15:02Z')

const { world } = eachWorld(NOW)

/** At which minutes of the next hours, ticks five minutes apart, something is asked; and how complete the dataset is after each. */
async function minutesAsked(
  ingest: Ingest,
  hours: number,
): Promise<[minutes: string[], complete: Set<number | undefined>]> {
  await ingest.declare({ ...DATASET, specs: ['1HOUR'], schedule: { every: '5m' } })
  await ingest.tick()
  await world.drain({ ingest, forSec: 60 })
  const minutes: string[] = []
  const complete = new Set<number | undefined>()
  for (let sec = NOW + 180; sec < NOW + hours * 3600; sec += 300) {
    world.clock.nowMs = sec * 1000
    const { chunks } = await ingest.tick()
    if (chunks > 0) minutes.push(new Date(sec * 1000).toISOString().slice(11, 16))
    await world.drain({ ingest })
    complete.add((await ingest.datasets('d'))[0]?.complete)
  }
  return [minutes, complete]
}

it('hourly bars are asked for when one may have come, by the clock or from the opening, and all is there in between', async () => {
  const sessions = scheduleOf({ current: () => STOCKS }, () => world.clock.nowMs, [])
  const ingest = world.another({ relay: relayWith(world.relay, { sessions }) })
  expect(await minutesAsked(ingest, 2)).toEqual([['15:35', '16:05', '16:35'], new Set([1])])
  expect((await ingest.plan({ dataset: 'd' })).requests).toBe(0)
  const [series] = await world.store.series()
  expect(series?.to).toBe(parseInstant('2026-03-12T15:00Z'))
})

it('without known sessions bars may start on each quarter of an hour', async () => {
  const [minutes] = await minutesAsked(world.ingest, 1)
  expect(minutes).toEqual(['15:20', '15:35', '15:50'])
})
