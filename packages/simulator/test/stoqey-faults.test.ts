import { type Contract, EventName, IBApi, SecType } from '@stoqey/ib'
import { afterEach, describe, expect, it } from 'vitest'
import type { Simulator, SimulatorOptions } from '../src/index.ts'
import { startServer } from '../src/server.ts'
import { market, NOW_SEC } from './wire-market.ts'

/** What an unmodified @stoqey/ib makes of a gateway that misbehaves. */

const AAPL: Contract = { symbol: 'AAPL', secType: SecType.STK, exchange: 'SMART', currency: 'USD' }

let simulator: Simulator | undefined
let api: IBApi | undefined
afterEach(async () => {
  api?.disconnect()
  await simulator?.close()
})

async function connected(options: SimulatorOptions): Promise<[Simulator, IBApi]> {
  simulator = await startServer(market, { now: () => NOW_SEC * 1000, ...options })
  const ib = new IBApi({ port: simulator.port, clientId: 1, maxReqPerSec: 1000 })
  api = ib
  const ready = new Promise((resolve) => ib.once(EventName.nextValidId, resolve))
  ib.connect()
  await ready
  return [simulator, ib]
}

/** The count of bars one request is answered, the id's errors among them. */
function bars(
  ib: IBApi,
  reqId: number,
  size = '1 min',
  duration = '1800 S',
): Promise<{ count: number; codes: number[] }> {
  return new Promise((resolve) => {
    let count = 0
    const codes: number[] = []
    ib.on(EventName.historicalData, (about: number, date: string) => {
      if (about !== reqId) return
      if (date.startsWith('finished')) resolve({ count, codes })
      else count++
    })
    const told = (code: number, about: number) => {
      if (about !== reqId) return
      codes.push(code)
      if (code === 162) resolve({ count, codes })
    }
    ib.on(EventName.error, (_error: Error, code: number, about: number) => told(code, about))
    ib.on(EventName.info, (_text: string, code: number, about?: number) => told(code, about ?? -1))
    ib.reqHistoricalData(reqId, AAPL, '', duration, size as never, 'TRADES' as never, 1, 2, false)
  })
}

describe('@stoqey/ib, unmodified', () => {
  it.each(['split', 'merged'] as const)('reads frames that come %s', async (frames) => {
    const [, ib] = await connected({ faults: { frames } })
    expect((await Promise.all([bars(ib, 1), bars(ib, 2)])).map(({ count }) => count)).toEqual([30, 30])
  })

  it('hears a pacing violation', async () => {
    const [, ib] = await connected({ pacing: 'strict' })
    expect(await bars(ib, 1, '5 secs', '300 S')).toEqual({ count: 60, codes: [] })
    expect(await bars(ib, 2, '5 secs', '300 S')).toEqual({ count: 0, codes: [162] })
  })

  it('takes an empty reply for an answer', async () => {
    const [, ib] = await connected({ faults: { emptyHistory: 1 } })
    expect(await bars(ib, 1)).toEqual({ count: 0, codes: [] })
  })

  it('hears that connectivity was lost, and when the gateway goes', async () => {
    const [{ event }, ib] = await connected({})
    const lost = new Promise((resolve) => {
      // Which of its two events a code comes as is this library's own affair.
      ib.on(EventName.error, (_error: Error, code: number) => resolve(code))
      ib.on(EventName.info, (_text: string, code: number) => code === 1100 && resolve(code))
    })
    await event({ type: 'notice', code: 1100 })
    expect(await lost).toBe(1100)
    const gone = new Promise((resolve) => ib.once(EventName.disconnected, () => resolve('gone')))
    await event({ type: 'restart', downMs: 60_000 })
    expect(await gone).toBe('gone')
  })
})
