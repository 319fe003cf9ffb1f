import { type Contract, EventName, IBApi, SecType } from '@stoqey/ib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSimulator, type PriceKind, type Simulator } from '../src/index.ts'
import { DAY, utc } from './market-fixture.ts'
import { HEADER, stamp, useFiles } from './replay-files.ts'

/** The whole simulator, asked by an unmodified @stoqey/ib and compared with its own truth, which does not pass through the wire. */

/** Time in epoch seconds, open, high, low, close, volume, count, wap: as @stoqey/ib hands them on. */
type Row = number[]

const files = useFiles()
const GBP: Contract = { symbol: 'GBP', secType: SecType.CASH, exchange: 'IDEALPRO', currency: 'USD' }
/** Minutes with holes and at every hour of the week, the weekend and the maintenance break included. */
const minutes = Array.from({ length: 9 * 1440 }, (_, i) => utc('2026-11-07T00:00') + i * 60).filter(
  (_, i) => i % 17 !== 3,
)
const rowOf = (sec: number, i: number) => `${stamp(sec)}+00:00,1.${50000 + (i % 977)},1.52,1.49,1.${50000 + (i % 769)}`

let simulator: Simulator
let api: IBApi
beforeAll(async () => {
  const path = await files.write('gbpusd-bid.csv.gz', [HEADER, ...minutes.map(rowOf)])
  simulator = await createSimulator({
    now: () => utc('2026-11-18T18:00:30') * 1000,
    replay: [{ instrument: 'GBP/USD.IDEALPRO', path }],
  })
  api = new IBApi({ port: simulator.port, clientId: 1, maxReqPerSec: 1000 })
  const ready = new Promise((resolve) => api.once(EventName.nextValidId, resolve))
  api.connect()
  await ready
})
afterAll(async () => {
  api.disconnect()
  await simulator.close()
})

let lastId = 0

interface Ask {
  readonly of: Contract
  readonly end?: string
  readonly duration: string
  readonly size: string
  readonly kind: PriceKind
  readonly rth?: boolean
}

function ask({ of, end = '', duration, size, kind, rth = false }: Ask): Promise<Row[]> {
  const id = ++lastId
  return new Promise((resolve, reject) => {
    const rows: Row[] = []
    const over = () => {
      api.off(EventName.historicalData, take)
      api.off(EventName.error, fail)
    }
    const fail = (error: Error, _code: number, about: number) => {
      if (about !== id) return
      over()
      reject(error)
    }
    const take = (about: number, date: string, ...rest: unknown[]) => {
      if (about !== id) return
      if (date.startsWith('finished-')) {
        over()
        resolve(rows)
        return
      }
      const dated = !/sec|min|hour/.test(size)
      const sec = dated ? utc(`${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}T00:00`) : Number(date)
      // Open, high, low, close, volume, count, wap; behind them a flag that gateways no longer send.
      rows.push([sec, ...rest.slice(0, 7).map(Number)])
    }
    api.on(EventName.historicalData, take)
    api.on(EventName.error, fail)
    api.reqHistoricalData(id, of, end, duration, size as never, kind as never, rth ? 1 : 0, 2, false)
  })
}

function truth(contract: object, size: string, kind: PriceKind, useRTH: boolean, from: number, to: number): Row[] {
  return simulator
    .truth({ contract, barSize: size, whatToShow: kind, useRTH, startSec: from, endSec: to })
    .map(({ timeSec, open, high, low, close, volume, wap, count }) => [
      timeSec,
      open,
      high,
      low,
      close,
      volume,
      count,
      wap,
    ])
}

const STK = (symbol: string): Contract => ({ symbol, secType: SecType.STK, exchange: 'SMART', currency: 'USD' })
const EUR: Contract = { symbol: 'EUR', secType: SecType.CASH, exchange: 'IDEALPRO', currency: 'USD' }
const ESZ6: Contract = { localSymbol: 'ESZ6', secType: SecType.FUT, exchange: 'CME', includeExpired: true }
const TOYOTA: Contract = { symbol: '7203', secType: SecType.STK, exchange: 'SMART', currency: 'JPY' }

describe('a client gets what the truth is', () => {
  it.each<[Ask, number]>([
    [{ of: STK('AAPL'), duration: '5 D', size: '1 min', kind: 'TRADES', rth: true }, 4 * 390 + 211],
    [{ of: STK('AAPL'), duration: '2 D', size: '1 hour', kind: 'TRADES', rth: true }, 7 + 5],
    [
      { of: STK('MSFT'), end: '20241130-00:00:00', duration: '3 D', size: '5 mins', kind: 'TRADES', rth: true },
      78 + 78 + 42,
    ],
    [{ of: STK('SPY'), duration: '10 Y', size: '1 day', kind: 'TRADES', rth: true }, 2513],
    [{ of: STK('SPY'), duration: '1 Y', size: '1 week', kind: 'ADJUSTED_LAST', rth: true }, 53],
    [{ of: EUR, duration: '30 D', size: '5 mins', kind: 'MIDPOINT' }, 29 * 285 + 238],
    [{ of: EUR, duration: '1 D', size: '1 hour', kind: 'BID_ASK' }, 21],
    [{ of: ESZ6, duration: '10 D', size: '1 hour', kind: 'TRADES' }, 9 * 23 + 20],
    [{ of: STK('AAPL'), duration: '1800 S', size: '1 secs', kind: 'TRADES', rth: true }, 1800],
    [{ of: TOYOTA, duration: '2 D', size: '30 mins', kind: 'TRADES', rth: true }, 2 * 10],
  ])('%j', async (request, count) => {
    const rows = await ask(request)
    expect(rows).toHaveLength(count)
    const { of, size, kind, rth = false } = request
    const { exchange: _asked, ...contract } = of
    const from = rows[0]?.[0] ?? 0
    const known = truth(contract, size, kind, rth, from, utc('2026-11-30T00:00'))
    const final = rows.slice(0, known.length)
    // What the client has besides is the bar that is forming.
    expect(rows.length - known.length).toBeLessThanOrEqual(1)
    if (request.end === undefined) expect(final).toEqual(known)
    else expect(rows).toEqual(truth(contract, size, kind, rth, from, (rows.at(-1)?.[0] ?? 0) + 1))
  })

  it('a whole replayed file, asked day by day, no row more or fewer', async () => {
    const got: Row[] = []
    for (let day = utc('2026-11-06T00:00'); day < utc('2026-11-18T00:00'); day += 2 * DAY) {
      const end = new Date((day + 2 * DAY) * 1000).toISOString().slice(0, 19).replaceAll('-', '').replace('T', '-')
      const rows = await ask({ of: GBP, end, duration: '4 D', size: '1 min', kind: 'BID' }).catch((error: Error) => {
        expect(error.message).toContain('returned no data')
        return []
      })
      got.push(...rows.filter(([sec = 0]) => sec >= day && sec < day + 2 * DAY))
    }
    expect(got.map(([sec]) => sec)).toEqual(minutes)
    expect(got.map((row) => row.slice(1, 5))).toEqual(
      minutes.map((_, i) => [Number(`1.${50000 + (i % 977)}`), 1.52, 1.49, Number(`1.${50000 + (i % 769)}`)]),
    )
  })

  it('nothing of a kind that the files do not make', async () => {
    const mid = ask({ of: GBP, duration: '1 D', size: '1 min', kind: 'MIDPOINT' })
    await expect(mid).rejects.toThrow('No historical market data for GBP/CASH@IDEALPRO Midpoint 60')
  })
})
