import { zoneOf } from '../zone.ts'
import { dashedStamp } from './dates.ts'
import { sessionsOf } from './duration.ts'
import { frame } from './frames.ts'
import type { Gateway } from './gateway.ts'
import { type HistoryRequest, judge, noData } from './history.ts'
import { invalid } from './refusal.ts'

/** The reply to whatToShow SCHEDULE: the sessions a duration touches (106), on the listing's clock. Daily bars only, and no options. */
export function scheduleReply(gateway: Gateway, request: HistoryRequest): Buffer {
  const { reqId, useRTH } = request
  const judged = judge(gateway, request)
  const { listing, size } = judged
  if (size.name !== '1 day') throw invalid('Schedule can only be requested with a bar size of 1 day.')
  if (listing.secType === 'OPT' || listing.secType === 'FOP') throw noData(judged, 'Schedule')
  const zone = zoneOf(listing.timeZoneId)
  const sessions = sessionsOf({ market: gateway.market, useRTH, ...judged })
  const first = sessions[0]
  const last = sessions.at(-1)
  if (!first || !last) throw noData(judged, 'Schedule')
  const rows = sessions.flatMap(({ startSec, endSec, date }) => [
    dashedStamp(startSec, zone),
    dashedStamp(endSec, zone),
    date,
  ])
  const bounds = [dashedStamp(first.startSec, zone), dashedStamp(last.endSec, zone)]
  return frame([106, reqId, ...bounds, listing.timeZoneId, sessions.length, ...rows])
}
