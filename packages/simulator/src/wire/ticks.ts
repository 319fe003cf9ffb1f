import type { MidTick, QuoteTick, TicksQuery, TradeTick } from '../market/types.ts'
import type { FieldReader } from './fields.ts'
import { frame } from './frames.ts'
import { breakable, closing } from './historical.ts'
import { decimal, price } from './numbers.ts'
import { openRequest } from './open.ts'
import { type Page, pageOf } from './page.ts'
import type { Peer } from './peer.ts'
import { planTicks, readTicks, type TicksPlan } from './tickplan.ts'

/** Message 96: one message of ticks (96, 97 or 98 by their kind), perhaps without any. */
export function reqHistoricalTicks(peer: Peer, reader: FieldReader): void {
  const request = readTicks(reader)
  const { reqId } = request
  const open = openRequest(peer, reqId)
  if (!open) return
  peer.reply(() =>
    closing(peer, reqId, open, () => breakable(peer, ticksMessage(peer, reqId, planTicks(peer.gateway, request)))),
  )
}

/** The message that answers a judged request for ticks. */
export function ticksMessage(peer: Peer, reqId: number, plan: TicksPlan): Buffer {
  const { market } = peer.gateway
  const cents = plan.listing.secType === 'STK'
  const page = <T extends { readonly timeSec: number }>(ticks: (query: TicksQuery) => readonly T[]): readonly T[] =>
    pageOf(market, plan satisfies Page, ticks)
  // `done` closes the message: a page never comes in two.
  if (plan.kind === 'TRADES') return message(98, reqId, page(market.trades), (tick) => tradeFields(tick, cents))
  if (plan.kind === 'MIDPOINT') return message(96, reqId, page(market.midpoints), midFields)
  const quotes = page(market.quotes)
  return message(97, reqId, plan.ignoreSize ? withNewPrices(quotes) : quotes, (tick) => quoteFields(tick, cents))
}

function message<T>(id: number, reqId: number, ticks: readonly T[], fields: (tick: T) => (string | number)[]): Buffer {
  return frame([id, reqId, ticks.length, ...ticks.flatMap(fields), 1])
}

function tradeFields(tick: TradeTick, cents: boolean): (string | number)[] {
  const { timeSec, size, exchange, conditions } = tick
  // A halt has no price, and prints one as 0.
  const printed = tick.price === 0 ? '0' : price(tick.price, cents)
  return [timeSec, tradeMask(tick), printed, decimal(size), exchange, conditions]
}

/** Bit 0 pastLimit, bit 1 unreported. */
export const tradeMask = ({ pastLimit, unreported }: TradeTick): number => (pastLimit ? 1 : 0) | (unreported ? 2 : 0)

function quoteFields(tick: QuoteTick, cents: boolean): (string | number)[] {
  const { timeSec, bid, ask, bidSize, askSize, askPastHigh, bidPastLow } = tick
  const mask = (askPastHigh ? 1 : 0) | (bidPastLow ? 2 : 0)
  return [timeSec, mask, price(bid, cents), price(ask, cents), decimal(bidSize), decimal(askSize)]
}

/** A mid price has no size, and a place for one; another stands empty "for consistency", as IBKR's own reader says. */
const midFields = (tick: MidTick): (string | number)[] => [tick.timeSec, 0, decimal(tick.price), 0]

/** Leaves out the quotes that only change a size. */
export function withNewPrices(quotes: readonly QuoteTick[]): readonly QuoteTick[] {
  return quotes.filter(({ bid, ask }, i) => {
    const before = quotes[i - 1]
    return before === undefined || before.bid !== bid || before.ask !== ask
  })
}
