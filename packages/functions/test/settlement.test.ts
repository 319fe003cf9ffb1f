import { parseInstant } from '@tidegate/core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { freshPglite } from '../../../test/support/pglite.ts'
import type { BarsAnswer, StartedAnswer } from '../src/index.ts'
import { openWorld, truth, type World } from './world.ts'

const HOUR_SEC = 3600
/** A settlement as late as IBKR's are at most, short of Friday's. */
const LATE_SEC = 5 * HOUR_SEC
const ES = { localSymbol: 'ESM6', secType: 'FUT' }
/** The world begins on the 8th, 18:00 UTC; the session of that date closes at 21:00. */
const WINDOW = { start: '2026-04-06', end: '2026-04-09' }

let world: World
let closeDatabase: () => Promise<void>
beforeAll(async () => {
  const database = await freshPglite()
  closeDatabase = () => database.close()
  world = await openWorld(database)
  world.simulator.marketEvents.settlementDelaySec = LATE_SEC
}, 60_000)
afterAll(async () => {
  await world?.close()
  await closeDatabase?.()
})

/** Fetches the days once more, and gives the dates and closes that are stored. */
async function fetched(): Promise<[string, number | undefined][]> {
  const body = { instruments: ['ESM6.CME'], specs: ['DAILY'], hours: 'all', ...WINDOW }
  const { body: started } = await world.call<StartedAnswer>('POST', '/v1/runs', body)
  expect(await world.ended(started.id)).toMatchObject({ state: 'done' })
  const query = new URLSearchParams({ instrument: 'ESM6.CME', spec: 'DAILY', hours: 'all', ...WINDOW })
  const { bars } = (await world.call<BarsAnswer>('GET', `/v1/bars?${query}`)).body
  return bars.t.map((t, i) => [new Date(t * 1000).toISOString().slice(0, 10), bars.c[i]])
}

it('a future’s day is stored once it is settled, hours after its close, and is never stored before', async () => {
  const traded = closes()
  expect((await fetched()).map(([date]) => date)).toEqual(['2026-04-06'])
  // Before the close, between it and its settlement, a little after that, and days later.
  for (const hours of [2, 3, 4, 20, 30]) {
    world.clock.advance(hours * HOUR_SEC)
    const settled = closes()
    for (const [date, close] of await fetched()) expect([date, close]).toEqual([date, settled.get(date)])
  }
  const settled = closes()
  expect(await fetched()).toEqual([...settled])
  // The fault had its way: what traded last is not what settled.
  expect(settled.get('2026-04-08')).not.toBe(traded.get('2026-04-08'))
  expect([...settled.keys()]).toEqual(['2026-04-06', '2026-04-07', '2026-04-08'])
})

/** The closes of the days that are over, as the gateway's market has them. */
function closes(): Map<string, number | undefined> {
  const bars = truth(world.simulator, {
    contract: ES,
    barSize: '1 day',
    whatToShow: 'TRADES',
    useRTH: false,
    startSec: parseInstant(WINDOW.start),
    endSec: parseInstant(WINDOW.end),
  })
  return new Map(bars.t.map((t, i) => [new Date(t * 1000).toISOString().slice(0, 10), bars.c[i]]))
}
