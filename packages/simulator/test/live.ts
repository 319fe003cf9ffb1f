import { afterEach, beforeEach } from 'vitest'
import type { Simulator } from '../src/index.ts'
import type { Market } from '../src/market/types.ts'
import { startServer } from '../src/server.ts'
import { createHand, type Hand } from './hand.ts'
import { contract, RawClient } from './wire-client.ts'
import { NOW_SEC, market as small } from './wire-market.ts'

/** A simulator whose clock stands still until it is moved by hand, and one client of it; new for each test. */
export interface LiveTest {
  readonly hand: Hand
  readonly simulator: Simulator
  readonly client: RawClient
  /** Begins anew with another market, or another instant. */
  restart(market: Market, startSec: number): Promise<void>
  /** Sends, and returns what has come by the time the simulator has answered all of it. */
  sent(...messages: (string | number)[][]): Promise<string[][]>
  settled(): Promise<string[][]>
  /** Lets seconds pass; what comes of it. */
  after(seconds: number): Promise<string[][]>
}

export function useLive(): LiveTest {
  let hand: Hand
  let simulator: Simulator
  let client: RawClient
  async function start(market: Market, startSec: number): Promise<void> {
    hand = createHand(startSec)
    simulator = await startServer(market, { now: hand.now, pulse: hand.pulse })
    client = await RawClient.start(simulator.port, 193, 1, ' +PACEAPI')
  }
  async function settled(): Promise<string[][]> {
    client.send(49, 1)
    const all: string[][] = []
    for (;;) {
      const message = await client.one()
      if (message[0] === '49') return all
      all.push(message)
    }
  }
  beforeEach(() => start(small, NOW_SEC))
  afterEach(() => simulator.close())
  return {
    get hand() {
      return hand
    },
    get simulator() {
      return simulator
    },
    get client() {
      return client
    },
    async restart(market, startSec) {
      await simulator.close()
      await start(market, startSec)
    },
    sent(...messages) {
      for (const message of messages) client.send(...message)
      return settled()
    },
    settled,
    after(seconds) {
      hand.pass(seconds)
      return settled()
    },
  }
}

export const AAPL = contract('AAPL', 'STK', 'SMART', { currency: 'USD' }).slice(0, 12)
export const FX = contract('EUR', 'CASH', 'IDEALPRO', { currency: 'USD' }).slice(0, 12)
export const realTime = (id: number, what = 'TRADES', of = AAPL, rth = 1) => [50, 3, id, ...of, 5, what, rth, '']
export const tickByTick = (id: number, type: string, n = 0, ignore = 0, of = AAPL) => [97, id, ...of, type, n, ignore]
export const marketData = (id: number, of = AAPL, snapshot = 0, generics = '') => [
  ...[1, 11, id, ...of, 0, generics, snapshot, 0, ''],
]
/** Errors as id, code and text. */
export const codes = (messages: string[][]): string[] =>
  messages.map((fields) => `${fields[2]} ${fields[3]} ${fields[4]}`)
