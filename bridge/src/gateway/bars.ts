import type { BarSizeSetting, WhatToShow } from '@stoqey/ib'
import { appendBars, emptyBars, TidegateError } from '@tidegate/core'
import type { Notice } from '@tidegate/relay'
import { maskedText } from '../account.ts'
import type { GatewayBars, GatewayHistory } from '../connection.ts'
import { toIbContract } from './details.ts'
import { utcText } from './time.ts'
import type { Wire } from './wire.ts'

const EPOCH_SECONDS = 2
/** An identical request is no breach of pacing any more after 15 seconds ("Historical Data Limitations"). */
const BREACH_MS = 15_000

/** The bars of one historical request, all of them; `empty` by IBKR's own word alone. */
export function askBars(wire: Wire, request: GatewayHistory, signal: AbortSignal): Promise<GatewayBars> {
  const bars = emptyBars()
  const notices: Notice[] = []
  const asOf = wire.asOf()
  return wire.requests.open(
    signal,
    (resolve, reject) => ({
      bars: (more) => appendBars(bars, more),
      end: () => {
        if (bars.t.length > 0) resolve({ bars, empty: false, asOf, notices })
        else reject(unexplained('bars'))
      },
      notice: (code, text) => notices.push({ code, message: maskedText(text) }),
      noData: () => {
        resolve({ bars, empty: true, asOf, notices })
        return true
      },
      fail: reject,
    }),
    {
      send: (id) => sendHistory(wire, id, request),
      cancel: (id) => void wire.send(() => wire.ib.cancelHistoricalData(id)),
    },
  )
}

/** Sends message 20; with `keepUpToDate`, bars go on coming after those asked for. */
export function sendHistory({ ib, hand }: Wire, id: number, request: GatewayHistory, keepUpToDate = false): void {
  const { contract, barSize, whatToShow, regularHours, end, duration } = request
  // biome-ignore format: one call, one line a group of its ten parameters.
  hand(() => ib.reqHistoricalData(id, toIbContract(contract), utcText(end), duration,
    barSize as BarSizeSetting, whatToShow as WhatToShow, regularHours, EPOCH_SECONDS, keepUpToDate))
}

/** A breach of pacing can be answered by silence, which is no word of IBKR's. */
export function unexplained(what: string): TidegateError {
  const message = `The gateway answered with no ${what} and without saying that there are none.`
  return new TidegateError('pacing', message, { retryAfterMs: BREACH_MS })
}
