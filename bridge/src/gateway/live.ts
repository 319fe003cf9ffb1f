import type { TickByTickDataType, WhatToShow } from '@stoqey/ib'
import { appendBars, type ErrorKind, emptyBars } from '@tidegate/core'
import { maskedText } from '../account.ts'
import type { GatewayLive, LiveEvent } from '../connection.ts'
import { sendHistory } from './bars.ts'
import { toIbContract } from './details.ts'
import type { Request, Wire } from './wire.ts'

/** The only length real-time bars have. */
const REALTIME_BAR_SEC = 5

/** IBKR may take up again quotes that it refuses so: their line is given back. */
const LASTING: ReadonlySet<ErrorKind> = new Set(['no-permission', 'competing-session'])

type Hearing = Omit<Request, 'fail' | 'noData' | 'notice'>

/**
 * Makes what subscribes over a connection and tells what comes until the signal aborts; it rejects when a subscription
 * ends, with why. `marketDataType` is the connection's own: a subscription to quotes may name another.
 */
export function createSubscriber(
  wire: Wire,
  marketDataType: number,
): (request: GatewayLive, tell: (event: LiveEvent) => void, signal: AbortSignal) => Promise<never> {
  const { ib, hand, send } = wire
  let type: number | undefined
  /** The type is the connection's, and counts for what is subscribed to after it: one at a time. */
  let turn: Promise<void> = setType(marketDataType)

  async function setType(wanted: number): Promise<void> {
    if (type === wanted) return
    await send(() => ib.reqMarketDataType(wanted))
    type = wanted
  }

  function ask(request: GatewayLive, id: number): void {
    if (request.kind !== 'quotes') {
      hand(() => askFor(wire, request, id))
      return
    }
    const { marketDataType: wanted = marketDataType } = request
    turn = turn
      .then(() => setType(wanted))
      .then(() => {
        if (wire.requests.get(id)) hand(() => askFor(wire, request, id))
      })
  }

  return (request, tell, signal) =>
    wire.requests.open(
      signal,
      (_resolve, fail, self) => ({
        ...hearing(request, tell, self.last),
        notice: (code, text) => tell({ notice: { code, message: maskedText(text) } }),
        noData: () => false,
        fail(error) {
          fail(error)
          if (request.kind === 'quotes' && LASTING.has(error.kind)) void send(() => cancel(ib, request, self.id))
        },
      }),
      {
        send: (id) => ask(request, id),
        cancel: (id) => void send(() => cancel(ib, request, id)),
      },
    )
}

function hearing(request: GatewayLive, tell: (event: LiveEvent) => void, begun: () => void): Hearing {
  // Only bars kept up to date begin with an answer; in a closed market, silence is all that the others have to say.
  if (request.kind !== 'bars') begun()
  switch (request.kind) {
    case 'realtimeBars':
      return { bar: (bar) => tell({ bar }) }
    case 'bars': {
      const history = emptyBars()
      return {
        bars: (more) => appendBars(history, more),
        end() {
          begun()
          tell({ history })
        },
        bar: (bar) => tell({ bar }),
      }
    }
    case 'ticks':
      return { ticks: (ticks) => tell({ ticks }) }
    case 'quotes':
      return { quote: (quote) => tell({ quote }) }
  }
}

function askFor(wire: Wire, request: GatewayLive, id: number): void {
  const { ib } = wire
  const contract = toIbContract(request.contract)
  switch (request.kind) {
    case 'realtimeBars': {
      const { whatToShow, regularHours } = request
      ib.reqRealTimeBars(id, contract, REALTIME_BAR_SEC, whatToShow as WhatToShow, regularHours)
      return
    }
    case 'bars':
      sendHistory(wire, id, { ...request, end: undefined }, true)
      return
    case 'ticks':
      ib.reqTickByTickData(id, contract, request.tickType as TickByTickDataType, 0, false)
      return
    case 'quotes':
      ib.reqMktData(id, contract, '', false, false)
  }
}

function cancel(ib: Wire['ib'], { kind }: GatewayLive, id: number): void {
  if (kind === 'realtimeBars') ib.cancelRealTimeBars(id)
  else if (kind === 'bars') ib.cancelHistoricalData(id)
  else if (kind === 'ticks') ib.cancelTickByTickData(id)
  else ib.cancelMktData(id)
}
