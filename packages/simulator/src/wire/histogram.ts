import { windowOf } from './duration.ts'
import { hmds } from './encode.ts'
import type { FieldReader } from './fields.ts'
import { frame } from './frames.ts'
import { nowSec } from './gateway.ts'
import { refusing } from './historical.ts'
import { noData } from './history.ts'
import { type Duration, type DurationUnit, parseBarSize } from './limits.ts'
import { decimal } from './numbers.ts'
import type { Peer } from './peer.ts'
import { invalid, Refusal } from './refusal.ts'
import { targetOf, unpermitted } from './target.ts'

const UNITS: Readonly<Record<string, DurationUnit>> = { second: 'S', day: 'D', week: 'W', month: 'M', year: 'Y' }
/** What a histogram is made of: minutes, and hours where it reaches further than a month. */
const [FINE, COARSE] = ['1 min', '1 hour'] as const
/** No histogram reaches further. */
const MAX_YEARS = 1

/** Message 88: how much was traded at which price in a period such as `3 days` (89), the cheapest first. */
export function reqHistogramData(peer: Peer, reader: FieldReader): void {
  const reqId = reader.reqId()
  const query = reader.contract()
  const useRTH = reader.flag()
  const period = reader.text()
  const { gateway } = peer
  peer.reply(() =>
    refusing(peer, reqId, () => {
      const duration = periodOf(period)
      if (!duration)
        throw invalid('Histogram period is invalid. Use an integer and seconds, days, weeks, months or 1 year.')
      const target = targetOf(gateway, query)
      const { listing } = target
      const denied = unpermitted(gateway, listing)
      if (denied) throw new Refusal(162, hmds(denied))
      const isLong = duration.unit === 'Y' || (duration.unit === 'M' && duration.count > 1)
      const size = parseBarSize(isLong ? COARSE : FINE)
      const { market } = gateway
      const now = nowSec(gateway)
      const window = size && windowOf({ market, listing, useRTH, size, duration, endSec: now })
      if (!size || !window || !market.offers(listing, 'TRADES')) throw noData(target, 'TRADES')
      const volumes = new Map<number, number>()
      for (const bar of market.bars({
        listing,
        barSize: size.name,
        whatToShow: 'TRADES',
        useRTH,
        ...window,
        nowSec: now,
      })) {
        volumes.set(bar.close, (volumes.get(bar.close) ?? 0) + Math.max(bar.volume, 0))
      }
      const rows = [...volumes].sort(([a], [b]) => a - b)
      return frame([89, reqId, rows.length, ...rows.flat().map(decimal)])
    }),
  )
}

function periodOf(text: string): Duration | undefined {
  const match = /^([1-9]\d{0,4}) (second|day|week|month|year)s?$/.exec(text.trim().toLowerCase())
  const unit = UNITS[match?.[2] ?? '']
  const count = Number(match?.[1])
  return match && unit && !(unit === 'Y' && count > MAX_YEARS) ? { count, unit } : undefined
}
