import { type ContractDetails, EventName, type IBApi } from '@stoqey/ib'
import { barTime, orNull } from '../history.ts'
import type { Requests } from '../requests.ts'
import { fromIbDetails } from './details.ts'
import { fromIbChain, fromIbMatch } from './found.ts'
import { fieldOf, type QuoteField } from './quotes.ts'
import { liveQuote, liveTrade, midpointsOf, quotesOf, tradesOf } from './ticks.ts'
import type { Request } from './wire.ts'

/** The library emits this event and has no type for it. */
type ScheduleListener = (
  id: number,
  start: string,
  end: string,
  zone: string,
  sessions: readonly { startDateTime: string; endDateTime: string; refDate: string }[],
) => void

/** Hands what the library makes of the gateway's answers to the requests that wait for them. */
export function hearAnswers(ib: IBApi, requests: Requests<Request>): void {
  const quote = (id: number, field: QuoteField | undefined, value: number | undefined) => {
    if (field && value !== undefined) requests.get(id)?.quote?.({ [field]: value })
  }
  ib.on(EventName.contractDetails, (id, details) => requests.get(id)?.details?.(fromIbDetails(details)))
  // The library says "contract" of what are details, as its decoder shows.
  ib.on(EventName.bondContractDetails, (id, details) =>
    requests.get(id)?.details?.(fromIbDetails(details as unknown as ContractDetails)),
  )
  ib.on(EventName.contractDetailsEnd, (id) => requests.get(id)?.end?.())
  ib.on(EventName.symbolSamples, (id, found) => requests.get(id)?.matches?.(found.map(fromIbMatch)))
  ib.on(EventName.securityDefinitionOptionParameter, (id, ...chain) => requests.get(id)?.chain?.(fromIbChain(...chain)))
  ib.on(EventName.securityDefinitionOptionParameterEnd, (id) => requests.get(id)?.end?.())
  ib.on(EventName.headTimestamp, (id, text) => requests.get(id)?.head?.(text))
  const untyped = ib as unknown as { on(event: EventName, hear: ScheduleListener): void }
  untyped.on(EventName.historicalSchedule, (id, _start, _end, zone, sessions) =>
    requests.get(id)?.schedule?.(
      zone,
      sessions.map((one) => ({ start: one.startDateTime, end: one.endDateTime, date: one.refDate })),
    ),
  )
  ib.on(EventName.historicalTicks, (id, ticks, done) => requests.get(id)?.ticks?.(midpointsOf(ticks), done))
  ib.on(EventName.historicalTicksBidAsk, (id, ticks, done) => requests.get(id)?.ticks?.(quotesOf(ticks), done))
  ib.on(EventName.historicalTicksLast, (id, ticks, done) => requests.get(id)?.ticks?.(tradesOf(ticks), done))
  ib.on(EventName.historicalDataUpdate, (id, date, o, h, l, c, v, n, w) => {
    const t = barTime(date)
    requests.get(id)?.bar?.({ t, o, h, l, c, v: known(v), w: known(w), n: known(n) })
  })
  ib.on(EventName.realtimeBar, (id, t, o, h, l, c, v, w, n) =>
    requests.get(id)?.bar?.({ t, o, h, l, c, v: known(v), w: known(w), n: known(n) }),
  )
  ib.on(EventName.tickByTickAllLast, (id, _type, time, price, size, attributes, exchange, conditions) =>
    requests.get(id)?.ticks?.(liveTrade(Number(time), price, size, attributes, exchange, conditions), false),
  )
  ib.on(EventName.tickByTickBidAsk, (id, time, bid, ask, bidSize, askSize, attributes) =>
    requests.get(id)?.ticks?.(liveQuote(Number(time), bid, ask, bidSize, askSize, attributes), false),
  )
  ib.on(EventName.tickByTickMidPoint, (id, time, price) =>
    requests.get(id)?.ticks?.({ t: [Number(time)], price: [price] }, false),
  )
  ib.on(EventName.tickPrice, (id, type, value) => quote(id, fieldOf(type), value))
  ib.on(EventName.tickSize, (id, type, value) => quote(id, fieldOf(type), value))
  ib.on(EventName.tickGeneric, (id, type, value) => quote(id, fieldOf(type), value))
  ib.on(EventName.tickString, (id, type, value) => quote(id, fieldOf(type), Number(value)))
  ib.on(EventName.marketDataType, (id, marketDataType) => requests.get(id)?.quote?.({ marketDataType }))
}

/** −1, or nothing, where IBKR has no volume, wap or count. */
function known(value: number | undefined): number | null {
  return value === undefined ? null : orNull(String(value))
}
