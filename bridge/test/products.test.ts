import type { Contract } from '@tidegate/core'
import type { Relay } from '@tidegate/relay'
import { createSimulator } from '@tidegate/simulator'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { endAll, onEnd, startBridge } from './rig.ts'

/** A Wednesday, New York at noon: every market of the simulator's but Asia's is open. */
const NOW_SEC = Date.UTC(2026, 3, 8, 16) / 1000

let relay: Relay
beforeAll(async () => {
  const simulator = await createSimulator({ now: () => NOW_SEC * 1000, pacing: 'lenient' })
  onEnd(() => simulator.close())
  relay = (await startBridge(simulator.port)).relay
})
afterAll(endAll)

const AAPL = { symbol: 'AAPL', secType: 'STK', exchange: 'SMART', currency: 'USD' } as const

const PRODUCTS: readonly Contract[] = [
  AAPL,
  { symbol: 'SPX', secType: 'IND', exchange: 'CBOE' },
  { symbol: 'EUR', secType: 'CASH', exchange: 'IDEALPRO', currency: 'USD' },
  { symbol: 'BTC', secType: 'CRYPTO', exchange: 'PAXOS', currency: 'USD' },
  { symbol: 'ES', secType: 'FUT', exchange: 'CME', lastTradeDateOrContractMonth: '202606' },
  { symbol: 'ES', secType: 'CONTFUT', exchange: 'CME' },
  { symbol: 'AAPL', secType: 'OPT', exchange: 'SMART', lastTradeDateOrContractMonth: '202606', right: 'C' },
  { symbol: 'ES', secType: 'FOP', exchange: 'CME', right: 'P', lastTradeDateOrContractMonth: '20260417' },
  { symbol: 'IBUS500', secType: 'CFD', exchange: 'SMART' },
  { symbol: 'XAUUSD', secType: 'CMDTY', exchange: 'SMART' },
  { symbol: 'IBM', secType: 'BOND', exchange: 'SMART' },
]

describe('contracts of every kind', () => {
  it.each(PRODUCTS.map((contract) => [contract.secType, contract] as const))(
    '%s: their details',
    async (_, contract) => {
      const found = await relay.contracts({ contract })
      expect(found.length).toBeGreaterThan(0)
      for (const { contract: own, minTick, timeZoneId } of found) {
        expect(own).toMatchObject({ symbol: contract.symbol, secType: contract.secType })
        expect([own.conId > 0, minTick > 0, timeZoneId !== '']).toEqual([true, true, true])
      }
    },
  )

  it('options: the chains of their underlying, and details of one of them', async () => {
    const [apple] = await relay.contracts({ contract: AAPL })
    const chains = await relay.chains({ symbol: 'AAPL', secType: 'STK', conId: apple?.contract.conId ?? 0 })
    const chain = chains.find(({ exchange }) => exchange === 'SMART') ?? chains[0]
    expect(chain?.underConId).toBe(apple?.contract.conId)
    expect(chain?.expirations).toEqual([...(chain?.expirations ?? [])].sort())
    const [strike] = chain?.strikes.slice(Math.floor(chain.strikes.length / 2)) ?? []
    const option: Contract = {
      ...{ symbol: 'AAPL', secType: 'OPT', exchange: 'SMART', currency: 'USD', right: 'C' },
      lastTradeDateOrContractMonth: chain?.expirations[1],
      strike,
    } as Contract
    const [details] = await relay.contracts({ contract: option })
    expect(details?.contract).toMatchObject({ strike, right: 'C', multiplier: '100' })
  })
})

describe('bars of every kind', () => {
  it.each([
    ...(['TRADES', 'MIDPOINT', 'BID', 'ASK', 'BID_ASK'] as const),
    ...(['HISTORICAL_VOLATILITY', 'OPTION_IMPLIED_VOLATILITY', 'FEE_RATE'] as const),
  ])('%s of a stock', async (whatToShow) => {
    const { bars } = await relay.bars({ contract: AAPL, barSize: '1 day', whatToShow, end: NOW_SEC, duration: '1 M' })
    expect(bars.t.length).toBeGreaterThan(15)
  })

  it('ADJUSTED_LAST and continuous futures, up to now', async () => {
    const day = { barSize: '1 day', duration: '1 M' } as const
    const adjusted = await relay.bars({ contract: AAPL, whatToShow: 'ADJUSTED_LAST', ...day })
    expect(adjusted.bars.t.length).toBeGreaterThan(15)
    const contract = { symbol: 'ES', secType: 'CONTFUT', exchange: 'CME' } as const
    expect((await relay.bars({ contract, whatToShow: 'TRADES', ...day })).bars.t.length).toBeGreaterThan(15)
  })

  it('where IBKR has none of a kind, it is refused and not empty', async () => {
    const contract = { symbol: 'EUR', secType: 'CASH', exchange: 'IDEALPRO', currency: 'USD' } as const
    const asked = { contract, barSize: '1 day', whatToShow: 'TRADES', end: NOW_SEC, duration: '5 D' } as const
    await expect(relay.bars(asked)).rejects.toMatchObject({ code: 162, kind: 'invalid' })
    const ticks = { contract, whatToShow: 'TRADES', start: NOW_SEC - 3600 } as const
    await expect(relay.ticks(ticks)).rejects.toMatchObject({ code: 10187 })
  })
})

describe('heads and sessions', () => {
  it('of a stock agree with its bars', async () => {
    const head = await relay.head({ contract: AAPL, whatToShow: 'TRADES' })
    expect(head).toBeLessThan(NOW_SEC - 365 * 86_400)
    const { sessions, zone } = await relay.sessions({ contract: AAPL, end: NOW_SEC, duration: '5 D' })
    expect(zone).toBe('US/Eastern')
    const last = sessions.at(-1)
    expect(last).toEqual({
      date: '2026-04-08',
      start: Date.UTC(2026, 3, 8, 13, 30) / 1000,
      end: Date.UTC(2026, 3, 8, 20) / 1000,
    })
  })

  it('that there are not are no failure of ours', async () => {
    const contract = { symbol: 'EUR', secType: 'CASH', exchange: 'IDEALPRO', currency: 'USD' } as const
    await expect(relay.head({ contract, whatToShow: 'TRADES' })).rejects.toMatchObject({ kind: 'not-found', code: 162 })
  })
})
