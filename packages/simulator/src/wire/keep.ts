import type { MarketBar } from '../market/types.ts'
import { zoneOf } from '../zone.ts'
import { dateOf } from './bars.ts'
import { windowOf } from './duration.ts'
import { nowSec } from './gateway.ts'
import type { HistoryPlan } from './history.ts'
import { feed } from './live.ts'
import { decimal, price } from './numbers.ts'
import type { OpenRequest, Peer } from './peer.ts'

/** How often a forming bar is told. */
const EVERY_SEC = 5

/**
 * Keeps an answered request up to date: every five seconds the forming bar (message 90), if it has changed, and before
 * a new one the last word on the one before. The request stays open until it is cancelled.
 */
export function keepUpToDate(peer: Peer, reqId: number, plan: HistoryPlan, open: OpenRequest): void {
  open.isKept = true
  const tell = updater(peer, reqId, plan)
  let told = lastBars(peer, plan, plan.window.startSec, nowSec(peer.gateway)).at(-1)
  feed(peer, 'history', reqId, (fromSec, toSec) => {
    if (Math.floor(fromSec / EVERY_SEC) === Math.floor(toSec / EVERY_SEC)) return
    for (const bar of lastBars(peer, plan, fromSec, toSec)) {
      if (told && (bar.timeSec < told.timeSec || isSame(bar, told))) continue
      tell(bar)
      told = bar
    }
  })
}

/** The bars that were forming at `fromSec` or have begun since. */
function lastBars(peer: Peer, plan: HistoryPlan, fromSec: number, toSec: number): readonly MarketBar[] {
  const { listing, size, whatToShow, useRTH } = plan
  const { market } = peer.gateway
  const back = size.intraday
    ? { startSec: fromSec - size.seconds }
    : windowOf({ market, listing, useRTH, size, duration: { count: 1, unit: 'D' }, endSec: toSec })
  if (!back) return []
  return market.bars({ listing, barSize: size.name, whatToShow, useRTH, ...back, endSec: toSec, nowSec: toSec })
}

function isSame(a: MarketBar, b: MarketBar): boolean {
  return (
    a.timeSec === b.timeSec &&
    a.open === b.open &&
    a.high === b.high &&
    a.low === b.low &&
    a.close === b.close &&
    a.volume === b.volume &&
    a.count === b.count
  )
}

/** Sends message 90: count, date, open, close, high, low, average, volume, in this order. */
function updater(peer: Peer, reqId: number, plan: HistoryPlan): (bar: MarketBar) => void {
  const date = dateOf(plan, zoneOf(plan.listing.timeZoneId))
  const cents = plan.listing.secType === 'STK'
  return (bar) => {
    const prices = [bar.open, bar.close, bar.high, bar.low].map((one) => price(one, cents))
    const average = bar.wap === -1 ? '-1' : price(bar.wap, cents)
    peer.send([90, reqId, bar.count, date(bar.timeSec), ...prices, average, decimal(bar.volume)])
  }
}
