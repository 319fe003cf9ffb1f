import { DAY_SEC, dateText } from './days.ts'
import type { MarketEvents } from './events.ts'
import type { History } from './history.ts'
import { hashSmall } from './noise.ts'
import { isDated } from './sizes.ts'
import type { BarsQuery, MarketBar } from './types.ts'

/** A settlement is no more than so many ticks from the last trade. */
const MAX_TICKS = 3
/** A date's sessions lie no further from it. */
const DATE_REACH_SEC = 2 * DAY_SEC

/**
 * Daily bars of a future (weeks and months with them) as they stand after settlement: the close of a day whose session
 * ended long enough ago is the settlement price, within that day's high and low. Others are left as they are.
 */
export function settledBars(
  { settlementDelaySec }: MarketEvents,
  history: History,
  query: BarsQuery,
  bars: readonly MarketBar[],
): readonly MarketBar[] {
  const { listing, barSize, whatToShow, nowSec } = query
  const isFuture = listing.secType === 'FUT' || listing.secType === 'CONTFUT'
  if (settlementDelaySec === undefined || !isFuture || whatToShow !== 'TRADES' || !isDated(barSize)) return bars
  return bars.map((bar) => {
    const isOld = bar.timeSec + DATE_REACH_SEC + settlementDelaySec < nowSec
    const sessions = isOld && barSize === '1 day' ? [] : sessionsOn(history, query, bar.timeSec)
    if (!isOld && (sessions.at(-1)?.endSec ?? nowSec) + settlementDelaySec > nowSec) return bar
    const [day] =
      barSize === '1 day'
        ? [bar]
        : history.bars({
            ...query,
            barSize: '1 day',
            startSec: sessions[0]?.startSec ?? 0,
            endSec: sessions.at(-1)?.endSec ?? 0,
          })
    return day ? { ...bar, close: settlementOf(day, listing.conId, listing.minTick) } : bar
  })
}

/** The sessions of the date a bar has, in all its hours asked for. */
function sessionsOn(history: History, { useRTH }: BarsQuery, daySec: number) {
  const date = dateText(daySec / DAY_SEC)
  const around = history.sessions(useRTH, daySec - DATE_REACH_SEC, daySec + DATE_REACH_SEC)
  return around.filter((session) => session.date === date)
}

/** Some ticks from the last trade, towards the further end of the day. */
function settlementOf({ timeSec, high, low, close }: MarketBar, conId: number, tick: number): number {
  const distance = tick * (1 + (hashSmall(conId, timeSec / DAY_SEC) % MAX_TICKS))
  const moved = high - close > close - low ? Math.min(close + distance, high) : Math.max(close - distance, low)
  return Math.round(moved / tick) * tick
}
