import { type Contract, EventName, IBApi, SecType } from '@stoqey/ib'
import type { Simulator } from '../src/index.ts'

/** Contracts of the small market, as users of @stoqey/ib write them. */
export const AAPL: Contract = { symbol: 'AAPL', secType: SecType.STK, exchange: 'SMART', currency: 'USD' }
export const EUR: Contract = { symbol: 'EUR', secType: SecType.CASH, exchange: 'IDEALPRO', currency: 'USD' }

/** An unmodified client that has its ids. */
export async function connected(simulator: Simulator, clientId = 1): Promise<IBApi> {
  const ib = new IBApi({ port: simulator.port, clientId, maxReqPerSec: 1000 })
  const ready = new Promise((resolve) => ib.once(EventName.nextValidId, resolve))
  ib.connect()
  await ready
  return ib
}

/** What the next event of that name brings, of the request's id on. */
export function next(ib: IBApi, event: EventName): Promise<unknown[]> {
  return new Promise((resolve) => ib.once(event, (...all: unknown[]) => resolve(all)))
}
