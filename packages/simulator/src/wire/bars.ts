import { setImmediate as nextTurn } from 'node:timers/promises'
import type { MarketBar } from '../market/types.ts'
import { type Zone, zoneOf } from '../zone.ts'
import { ymd, zonedStamp } from './dates.ts'
import { barsBefore, distorted, leaky } from './distort.ts'
import type { Window } from './duration.ts'
import { hmds, SINCE } from './encode.ts'
import { frame, frameParts, MAX_FRAME_BYTES } from './frames.ts'
import { type Gateway, nowSec } from './gateway.ts'
import { type HistoryPlan, noData } from './history.ts'
import { decimal, price } from './numbers.ts'
import { Refusal } from './refusal.ts'

/** Bars made and printed in one go, a few milliseconds' work; between such slices other clients get their turn. */
const SLICE_BARS = 4000
/** A session added up to a day takes about as long as so many bars. */
const SESSION_WORK = 40
/** No bar prints shorter: a date of 8, seven numbers of at least 1, eight NULs. */
const MIN_BAR_BYTES = 23

/**
 * The reply to a judged request for bars: message 17, from version 196 on followed by 108. Throws the Refusal
 * for no data, and for a reply that would not fit one message (IBKR: "Time length exceed max."). Undefined once nobody
 * wants it any more: the client cancelled, or left.
 */
export async function historyReply(
  gateway: Gateway,
  asked: HistoryPlan,
  version: number,
  reqId: number,
  isWanted: () => boolean,
): Promise<Buffer | undefined> {
  const plan = leaky(gateway, asked)
  const { startSec, endSec } = plan.window
  const zone = zoneOf(plan.listing.timeZoneId)
  const slices = sliceWindow(gateway, plan)
  const rows: Buffer[] = []
  let count = 0
  let bytes = 0
  for (const [i, slice] of slices.entries()) {
    const edges = { first: i === 0, last: i === slices.length - 1 }
    const before = edges.first ? barsBefore(gateway, plan) : []
    const bars = distorted(gateway, [...before, ...barsIn(gateway, plan, slice)], edges)
    const printed = Buffer.from(printBars(bars, plan, zone), 'latin1')
    rows.push(printed)
    count += bars.length
    bytes += printed.length
    if (bytes > MAX_FRAME_BYTES) throw tooLong()
    await nextTurn()
    if (!isWanted()) return undefined
  }
  if (count === 0) throw noData(plan, plan.whatToShow)
  const bounds = [zonedStamp(startSec, zone), zonedStamp(endSec, zone)]
  const late = version >= SINCE.historicalDataEnd
  const head = late ? [17, reqId, count] : [17, reqId, ...bounds, count]
  const message = frameParts([Buffer.from(`${head.join('\0')}\0`), ...rows])
  if (message.length - 4 > MAX_FRAME_BYTES) throw tooLong()
  return late ? Buffer.concat([message, frame([108, reqId, ...bounds])]) : message
}

/** The market's bars in a slice that start before the window's end. */
function barsIn(gateway: Gateway, plan: HistoryPlan, { startSec, endSec }: Window): readonly MarketBar[] {
  const { listing, size, whatToShow, useRTH } = plan
  const query = { listing, barSize: size.name, whatToShow, useRTH, startSec, endSec, nowSec: nowSec(gateway) }
  return gateway.market.bars(query)
}

/** Cuts a window where sessions begin, so that no bar is cut: each starts in one slice, and is whole there. */
function sliceWindow(gateway: Gateway, { listing, size, useRTH, window }: HistoryPlan): Window[] {
  const sessions = gateway.market.sessions(listing, useRTH, window.startSec, window.endSec)
  const starts: number[] = [window.startSec]
  let inSlice = 0
  let total = 0
  for (const session of sessions) {
    const from = Math.max(session.startSec, window.startSec)
    const bars = size.intraday ? Math.ceil((Math.min(session.endSec, window.endSec) - from) / size.seconds) : 1
    const work = size.intraday ? bars : SESSION_WORK
    if (inSlice > 0 && inSlice + work > SLICE_BARS) {
      starts.push(from)
      inSlice = 0
    }
    inSlice += work
    total += bars
  }
  if (total * MIN_BAR_BYTES > MAX_FRAME_BYTES) throw tooLong()
  return starts.map((startSec, i) => ({ startSec, endSec: starts[i + 1] ?? window.endSec }))
}

/** Rows of date, open, high, low, close, volume, average, count, each field closed by a NUL. */
function printBars(bars: readonly MarketBar[], plan: HistoryPlan, zone: Zone): string {
  const cents = plan.listing.secType === 'STK'
  const date = dateOf(plan, zone)
  let text = ''
  for (const bar of bars) {
    const prices = `${price(bar.open, cents)}\0${price(bar.high, cents)}\0${price(bar.low, cents)}\0${price(bar.close, cents)}`
    // −1 stands for "none" in volume and average, and is no price.
    const average = bar.wap === -1 ? '-1' : price(bar.wap, cents)
    text += `${date(bar.timeSec)}\0${prices}\0${decimal(bar.volume)}\0${average}\0${decimal(bar.count)}\0`
  }
  return text
}

/** How a bar's start is printed: a date, epoch seconds, or the listing's clock. */
export function dateOf({ size, epochDates }: HistoryPlan, zone: Zone): (sec: number) => string {
  if (!size.intraday) return ymd
  return epochDates ? String : (sec) => zonedStamp(sec, zone)
}

const tooLong = (): Refusal => new Refusal(162, hmds('Time length exceed max.'))
