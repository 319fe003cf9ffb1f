import type { HistoricalTick, HistoricalTickBidAsk, HistoricalTickLast, WhatToShow } from '@stoqey/ib'
import {
  appendTicks,
  emptyTicks,
  type MidpointColumns,
  type Notice,
  type QuoteColumns,
  type TradeColumns,
} from '@tidegate/relay'
import { maskedText } from '../account.ts'
import type { GatewayTicks, GatewayTicksRequest } from '../connection.ts'
import { toIbContract } from './details.ts'
import { utcText } from './time.ts'
import type { Wire } from './wire.ts'

/** One page of historical ticks, as it came. The gateway may send it in several messages; the last says so. */
export function askTicks(
  { ib, requests, hand, send, ...wire }: Wire,
  request: GatewayTicksRequest,
  signal: AbortSignal,
): Promise<GatewayTicks> {
  const { contract, whatToShow, regularHours, start, end, count } = request
  const ticks = emptyTicks(whatToShow)
  const notices: Notice[] = []
  const asOf = wire.asOf()
  return requests.open(
    signal,
    (resolve, reject) => ({
      ticks(more, done) {
        appendTicks(ticks, more)
        if (done) resolve({ ticks, empty: false, asOf, notices })
      },
      notice: (code, text) => notices.push({ code, message: maskedText(text) }),
      noData() {
        resolve({ ticks, empty: true, asOf, notices })
        return true
      },
      fail: reject,
    }),
    {
      send: (id) =>
        // biome-ignore format: one call, one line a group of its nine parameters.
        hand(() => ib.reqHistoricalTicks(id, toIbContract(contract), utcText(start), utcText(end), count,
          whatToShow as WhatToShow, regularHours, false)),
      // There is no cancel of its own: gateways take that of historical data, and say 366 where they do not.
      cancel: (id) => void send(() => ib.cancelHistoricalData(id)),
    },
  )
}

/** Trades; one without price and size that is past its limit says that trading halted, or went on (ibkr-rules, "Historical ticks"). */
export function tradesOf(ticks: readonly HistoricalTickLast[]): TradeColumns {
  const pastLimit = ticks.map(({ tickAttribLast }) => tickAttribLast?.pastLimit ?? false)
  return {
    t: ticks.map(({ time = 0 }) => time),
    price: ticks.map(({ price = 0 }) => price),
    size: ticks.map(({ size }) => size ?? null),
    exchange: ticks.map(({ exchange = '' }) => exchange),
    conditions: ticks.map(({ specialConditions = '' }) => specialConditions),
    pastLimit,
    unreported: ticks.map(({ tickAttribLast }) => tickAttribLast?.unreported ?? false),
    halt: ticks.map(({ price, size }, i) => isHalt(price, size, pastLimit[i])),
  }
}

/** Quotes. The library has the two flags of history's mask swapped: bit 0 is askPastHigh on the wire (run). */
export function quotesOf(ticks: readonly HistoricalTickBidAsk[]): QuoteColumns {
  return {
    t: ticks.map(({ time = 0 }) => time),
    bid: ticks.map(({ priceBid = 0 }) => priceBid),
    ask: ticks.map(({ priceAsk = 0 }) => priceAsk),
    bidSize: ticks.map(({ sizeBid }) => sizeBid ?? null),
    askSize: ticks.map(({ sizeAsk }) => sizeAsk ?? null),
    bidPastLow: ticks.map(({ tickAttribBidAsk }) => tickAttribBidAsk?.askPastHigh ?? false),
    askPastHigh: ticks.map(({ tickAttribBidAsk }) => tickAttribBidAsk?.bidPastLow ?? false),
  }
}

export function midpointsOf(ticks: readonly HistoricalTick[]): MidpointColumns {
  return { t: ticks.map(({ time = 0 }) => time), price: ticks.map(({ price = 0 }) => price) }
}

/** One trade, as columns. */
export function liveTrade(
  t: number,
  price: number,
  size: number | undefined,
  flags: { pastLimit?: boolean; unreported?: boolean } | undefined,
  exchange: string,
  conditions: string,
): TradeColumns {
  const pastLimit = flags?.pastLimit ?? false
  return {
    t: [t],
    price: [price],
    size: [size ?? null],
    exchange: [exchange],
    conditions: [conditions],
    pastLimit: [pastLimit],
    unreported: [flags?.unreported ?? false],
    halt: [isHalt(price, size, pastLimit)],
  }
}

/** One quote, as columns. */
export function liveQuote(
  t: number,
  bid: number,
  ask: number,
  bidSize: number | undefined,
  askSize: number | undefined,
  flags: { bidPastLow?: boolean; askPastHigh?: boolean } | undefined,
): QuoteColumns {
  return {
    t: [t],
    bid: [bid],
    ask: [ask],
    bidSize: [bidSize ?? null],
    askSize: [askSize ?? null],
    bidPastLow: [flags?.bidPastLow ?? false],
    askPastHigh: [flags?.askPastHigh ?? false],
  }
}

function isHalt(price: number | undefined, size: number | undefined, pastLimit: boolean | undefined): boolean {
  return pastLimit === true && !price && !size
}
