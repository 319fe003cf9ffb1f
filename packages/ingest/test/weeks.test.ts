import { type DatasetDefinition, formatInstant, parseInstant } from '@tidegate/core'
import type { Ingest } from '@tidegate/ingest'
import { beforeEach, expect, it } from 'vitest'
import { DATASET, detailsOf, eachWorld, relayWith } from './world.ts'

const at = parseInstant
const DAY_SEC = 86_400
/** A Monday morning in New York, whose clocks change on the Sunday after. */
const BEGIN = at('2026-10-26T12:00Z')
const THANKSGIVING = '2026-11-26'
/** Closes at 13:00. */
const HALF_DAY = '2026-11-27'

const { world } = eachWorld(BEGIN)
let ingest: Ingest
let asked = 0
beforeEach(() => {
  asked = 0
  const contracts = async () => {
    asked++
    return [{ ...detailsOf('AAPL'), liquidHours: listedAt(world.clock.nowMs / 1000) }]
  }
  ingest = world.another({ relay: relayWith(world.relay, { contracts }) })
})

/** As IBKR lists hours beside a contract: today's and those of the next five days. */
function listedAt(sec: number): string {
  return Array.from({ length: 6 }, (_, i) => {
    const date = formatInstant(sec + i * DAY_SEC).slice(0, 10)
    const text = date.replaceAll('-', '')
    const closes = date === HALF_DAY ? '1300' : '1600'
    return isOpen(date) ? `${text}:0930-${text}:${closes}` : `${text}:CLOSED`
  }).join(';')
}

function isOpen(date: string): boolean {
  const weekday = new Date(date).getUTCDay()
  return weekday !== 0 && weekday !== 6 && date !== THANKSGIVING
}

/** When a dataset is due from now until the end, each time a tick is made. */
async function timesUntil(end: number, schedule: DatasetDefinition['schedule']): Promise<string[]> {
  await ingest.declare({ ...DATASET, since: '2026-10-26', specs: ['1HOUR'], schedule })
  const times: string[] = []
  for (;;) {
    await ingest.tick()
    const dueAt = (await world.store.datasets())[0]?.dueAt ?? end
    if (dueAt >= end) return times
    times.push(formatInstant(dueAt))
    world.clock.nowMs = dueAt * 1000
  }
}

it('a dataset goes on after each close for weeks: over a change of clocks, a holiday and a half day', async () => {
  const dates = Array.from({ length: 36 }, (_, i) => formatInstant(BEGIN + i * DAY_SEC).slice(0, 10)).filter(isOpen)
  const closes = (date: string) => (date < '2026-11-01' ? '20:20' : date === HALF_DAY ? '18:20' : '21:20')
  expect(await timesUntil(at('2026-12-01'), { afterClose: '20m' })).toEqual(
    dates.map((date) => `${date}T${closes(date)}:00Z`),
  )
  // What is listed is asked for again once it is used up, not each day.
  expect(asked).toBeLessThan(10)
})

it('a dataset that follows sessions is due within them and a minute after, by the clocks of their venue', async () => {
  world.clock.nowMs = at('2026-10-30T12:00Z') * 1000
  expect(await timesUntil(at('2026-11-03'), { every: '3h', during: 'session' })).toEqual([
    ...['2026-10-30T16:30:00Z', '2026-10-30T19:30:00Z', '2026-10-30T20:01:00Z'],
    ...['2026-11-02T17:30:00Z', '2026-11-02T20:30:00Z', '2026-11-02T21:01:00Z'],
  ])
  world.clock.nowMs = at('2026-11-25T22:00Z') * 1000
  expect(await timesUntil(at('2026-11-30'), { every: '2h', during: 'session' })).toEqual([
    ...['2026-11-27T16:30:00Z', '2026-11-27T18:01:00Z'],
  ])
})
