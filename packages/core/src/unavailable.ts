import { isToNow, reachSec, type SeriesShape } from './spans.ts'
import { barSize, isDated } from './spec.ts'
import { intersect, subtract, type Window } from './window.ts'

const DAY_SEC = 86_400
const SMALL_BAR_SEC = 30
/** A date is over everywhere half a day after it is in UTC, and its session may be settled on the next. */
const OVER_SEC = 3 * DAY_SEC

/** A series, with what the rules need beside its shape. */
export interface Expiring extends SeriesShape {
  /** The last trade date, `yyyymmdd`, or `yyyymm` where IBKR says no more; undefined for what does not expire, or is not known yet. */
  readonly expires?: string | undefined
}

/** What can not be had, and why, for a person. */
export interface Unavailable {
  readonly windows: readonly Window[]
  readonly why: string
}

interface Rule {
  /** Where IBKR says so. */
  readonly source: string
  /**
   * What can not be had of the series as of now: everything from `from` to `before`, epoch seconds; undefined where the
   * rule does not hold for it. On the safe side of IBKR's own edge: what may still be had is not in it.
   */
  readonly range: (
    series: Expiring,
    nowSec: number,
  ) => { readonly from?: number; readonly before?: number; readonly why: string } | undefined
}

const LIMITS = 'TWS API documentation, "Unavailable Historical Data"'

const RULES: readonly Rule[] = [
  {
    source: LIMITS,
    range({ spec }, nowSec) {
      if (barSize(spec).sec > SMALL_BAR_SEC) return undefined
      // IBKR does not say by which zone's calendar: a day before UTC's.
      const before = dayOf(monthsBefore(nowSec, 6)) - DAY_SEC
      return { before, why: 'IBKR keeps bars of 30 seconds and less for six months' }
    },
  },
  {
    source: LIMITS,
    range({ spec, secType }) {
      if (!isDated(spec) || (secType !== 'OPT' && secType !== 'FOP')) return undefined
      return { why: 'IBKR has no daily or longer bars of options' }
    },
  },
  {
    source: LIMITS,
    range({ secType, expires }, nowSec) {
      const over = overSec(expires)
      if ((secType !== 'OPT' && secType !== 'FOP') || over === undefined || nowSec < over) return undefined
      return { why: `it expired on ${dateText(expires)}, and IBKR keeps nothing of expired options` }
    },
  },
  {
    source: LIMITS,
    range({ secType, expires }, nowSec) {
      const over = overSec(expires)
      if (secType !== 'FUT' || over === undefined || monthsBefore(nowSec, 24) < over) return undefined
      return { why: `it expired on ${dateText(expires)}, and IBKR keeps futures for two years past their expiry` }
    },
  },
  {
    source: 'the contract: nothing trades after its last trade date',
    range({ secType, expires }) {
      const over = overSec(expires)
      if (secType !== 'FUT' || over === undefined) return undefined
      return { from: over, why: `it expired on ${dateText(expires)}` }
    },
  },
  {
    source:
      'TWS API documentation, "Historical Data": an empty end for ADJUSTED_LAST and CONTFUT; the longest durations',
    range(series, nowSec) {
      if (!isToNow(series)) return undefined
      const reach = reachSec(series)
      const edge = nowSec - reach
      const before = reach < 2 * DAY_SEC ? edge : dayOf(edge)
      const what = series.secType === 'CONTFUT' ? 'continuous futures' : series.spec.price
      return { before, why: `IBKR answers ${what} up to now only, and one request reaches no further back` }
    },
  },
]

/**
 * What of a window of the series IBKR never has, as of `nowSec`, by its own rules: known before it is asked. Each instant
 * under one reason, in the rules' order; empty where all of the window may be had. The edges are on every bar's grid.
 */
export function unavailableFor(series: Expiring, window: Window, nowSec: number): Unavailable[] {
  const found: Unavailable[] = []
  for (const { range } of RULES) {
    const held = range(series, nowSec)
    if (!held) continue
    const { from = window.start, before = window.end, why } = held
    const part = intersect(window, { start: from, end: before })
    if (!part) continue
    const told = found.flatMap((one) => one.windows)
    const windows = subtract([part], told)
    if (windows.length > 0) found.push({ windows, why })
  }
  return found
}

/** 00:00 UTC of the day that holds the instant, epoch seconds. */
function dayOf(sec: number): number {
  return Math.floor(sec / DAY_SEC) * DAY_SEC
}

/** Calendar months before an instant, by UTC's calendar; a day that the earlier month lacks is its last. */
function monthsBefore(sec: number, months: number): number {
  const date = new Date(sec * 1000)
  const lastDay = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - months + 1, 0)).getUTCDate()
  const midnight = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - months, Math.min(date.getUTCDate(), lastDay))
  return midnight / 1000 + (sec - dayOf(sec))
}

const DATE = /^(\d{4})(\d{2})(\d{2})?/

/** From when on a last trade date is over wherever the venue is, epoch seconds; of a bare month, that of its last day. Undefined where it is none. */
function overSec(expires: string | undefined): number | undefined {
  const match = DATE.exec(expires ?? '')
  if (!match) return undefined
  const [year, month, day] = [1, 2, 3].map((i) => Number(match[i] ?? 0)) as [number, number, number]
  return (day > 0 ? Date.UTC(year, month - 1, day) : Date.UTC(year, month, 0)) / 1000 + OVER_SEC
}

function dateText(expires: string | undefined): string {
  return (expires ?? '')
    .replace(DATE, (_, year, month, day) => [year, month, day].filter(Boolean).join('-'))
    .slice(0, 10)
}
