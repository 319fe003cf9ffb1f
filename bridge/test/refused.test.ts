import type { SubscriptionRequest } from '@tidegate/relay'
import { afterEach, describe, expect, it } from 'vitest'
import { createFakeClock } from './clock.ts'
import { type RawGateway, startRawGateway } from './gateway.ts'
import { AAPL, endAll, until } from './rig.ts'
import { startListening, subscribe } from './streams.ts'

afterEach(endAll)

const FIVES: SubscriptionRequest = { kind: 'realtimeBars', contract: AAPL, whatToShow: 'TRADES', hours: 'all' }
const TRADES: SubscriptionRequest = { kind: 'ticks', contract: AAPL, tickType: 'Last' }
const QUOTES: SubscriptionRequest = { kind: 'quotes', contract: AAPL }
/** Of what has been subscribed to over a connection: the message and its fields before the id, by the kind. */
const ID_AT: Record<string, readonly [message: string, at: number]> = {
  realtimeBars: ['50', 2],
  ticks: ['97', 1],
  quotes: ['1', 2],
}

/** The gateway's ids of the requests of a kind so far. */
function idsOf({ received }: RawGateway, kind: string): string[] {
  const [message, at] = ID_AT[kind] ?? ['', 0]
  return received.flatMap((fields) => (fields[0] === message ? [fields[at] ?? ''] : []))
}

const error = (id: string, code: number, text: string) => [4, 2, id, code, text, ''] as const

describe('a subscription that IBKR refuses', () => {
  it.each([
    ['no permission', TRADES, 10189, 'Failed to request tick-by-tick data.No market data permissions', 'no-permission'],
    ['no such ticks', TRADES, 10189, 'Failed to request tick-by-tick data.BidAsk is not supported', 'invalid'],
    ['too many', TRADES, 10190, 'Max number of tick-by-tick requests has been reached.', 'busy'],
    ['not subscribed', QUOTES, 354, 'Requested market data is not subscribed.', 'no-permission'],
    ['no delayed', QUOTES, 10186, 'Delayed market data is not enabled.', 'no-permission'],
    ['another session', QUOTES, 10197, 'No market data during competing live session', 'competing-session'],
    ['no line that is free', QUOTES, 101, 'Max number of tickers has been reached', 'pacing'],
    ['bars for no permission', FIVES, 420, 'No market data permissions for ISLAND STK', 'no-permission'],
  ] as const)('for %s ends with that, alone, and leaves nothing behind', async (_, request, code, text, kind) => {
    const gateway = await startRawGateway()
    const { open, relay } = await startListening(gateway.port)
    const stream = await open()
    const other = subscribe(stream, { kind: 'quotes', contract: { ...AAPL, symbol: 'MSFT' } })
    await until('the other has gone', () => idsOf(gateway, 'quotes').length === 1)
    const [otherId = ''] = idsOf(gateway, 'quotes')
    const one = subscribe(stream, request)
    await until('it has gone', () => idsOf(gateway, request.kind).some((id) => id !== otherId))
    const id = idsOf(gateway, request.kind).at(-1) ?? ''
    const [client] = gateway.clients
    client?.send(...error(id, code, text))
    await expect(one.over).rejects.toMatchObject({ kind, code })
    // A quote of bid 101.5.
    client?.send(1, 6, otherId, 1, 101.5, 0, 0)
    await until('the other goes on', () => other.all('quote').length === 1)
    expect(other.all('quote')[0]).toEqual({ bid: 101.5 })
    const small = request.kind === 'realtimeBars' ? 59 : 60
    expect(await relay.status()).toMatchObject({ pacing: { open: 0, queued: 0, left: { small, open: 32 } } })
    // IBKR may take it up again: the line is given back.
    const cancels = () => gateway.received.filter(([message, , of]) => message === '2' && of === id).length
    if (request.kind === 'quotes' && kind !== 'pacing') await until('it is cancelled', () => cancels() === 1)
    other.end()
    await other.over
  })

  it.each([10089, 10090, 10091])('in part (%i) is told so and goes on', async (code) => {
    const gateway = await startRawGateway()
    const { open } = await startListening(gateway.port)
    const quotes = subscribe(await open(), QUOTES)
    await until('it has gone', () => idsOf(gateway, 'quotes').length === 1)
    const [id = ''] = idsOf(gateway, 'quotes')
    const [client] = gateway.clients
    client?.send(...error(id, code, 'Part of requested market data is not subscribed for DU1234567.'))
    client?.send(1, 6, id, 1, 101.5, 0, 0)
    await until('its quotes come', () => quotes.all('quote').length === 1)
    const message = 'Part of requested market data is not subscribed for DU*****67.'
    expect(quotes.all('notice')).toEqual([{ code, message }])
  })

  it('leaves its budget once, and can be asked for again', async () => {
    const gateway = await startRawGateway()
    const clock = createFakeClock()
    const { open, relay } = await startListening(gateway.port, { clock })
    const stream = await open()
    for (const n of [1, 2, 3]) {
      const bars = subscribe(stream, FIVES)
      for (let i = 0; i < 20 && idsOf(gateway, 'realtimeBars').length < n; i++) await clock.advance(1000)
      const id = idsOf(gateway, 'realtimeBars').at(-1) ?? ''
      gateway.clients[0]?.send(...error(id, 420, 'Invalid Real-time Query:No market data permissions'))
      await expect(bars.over).rejects.toMatchObject({ kind: 'no-permission', code: 420 })
      expect(await relay.status()).toMatchObject({ pacing: { open: 0, queued: 0, left: { small: 60 - n } } })
    }
  })

  it('for too many ticks is told when to come again, and goes then', async () => {
    const gateway = await startRawGateway()
    const clock = createFakeClock()
    const { open } = await startListening(gateway.port, { clock })
    const stream = await open()
    const first = subscribe(stream, TRADES)
    await until('it has gone', () => idsOf(gateway, 'ticks').length === 1)
    gateway.clients[0]?.send(...error(idsOf(gateway, 'ticks')[0] ?? '', 10190, 'Max number of tick-by-tick requests'))
    const refusal = await first.over.catch((cause) => cause)
    expect(refusal).toMatchObject({ kind: 'busy', retryAfterMs: 15_000 })
    await clock.advance(refusal.retryAfterMs)
    const second = subscribe(stream, TRADES)
    await until('it has gone', () => idsOf(gateway, 'ticks').length === 2)
    second.end()
    await second.over
  })
})

it('bars of five seconds that a bust ends are subscribed to again, and no others', async () => {
  const gateway = await startRawGateway()
  const clock = createFakeClock()
  const { open } = await startListening(gateway.port, { clock })
  const stream = await open()
  const bars = subscribe(stream, FIVES)
  const others = subscribe(stream, { ...FIVES, whatToShow: 'BID' })
  await until('both have gone', () => idsOf(gateway, 'realtimeBars').length === 2)
  const [id = ''] = idsOf(gateway, 'realtimeBars')
  await clock.advance(20_000)
  gateway.clients[0]?.send(50, 3, id, Math.floor(clock.now() / 1000), 1, 1, 1, 1, 1, 1, 1)
  await until('a bar came', () => bars.all('bar').length === 1)
  gateway.clients[0]?.send(...error(id, 10225, 'Bust event occurred, current subscription is deactivated.'))
  for (let i = 0; i < 20 && bars.all('gap').length === 0; i++) await clock.advance(1000)
  expect([bars.all('gap').length, bars.all('subscribed').length]).toEqual([1, 2])
  await until('it is asked anew', () => idsOf(gateway, 'realtimeBars').length === 3)
  const anew = idsOf(gateway, 'realtimeBars')[2] ?? ''
  gateway.clients[0]?.send(50, 3, anew, Math.floor(clock.now() / 1000), 2, 2, 2, 2, 1, 1, 1)
  await until('bars come again', () => bars.all('bar').length === 2)
  expect([others.all('gap').length, others.all('subscribed').length]).toEqual([0, 1])
})
