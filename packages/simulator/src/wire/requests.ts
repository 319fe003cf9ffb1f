import { closeById, closeWith, refuseOrder, reqAccountUpdates, sendAccounts, sendNextId } from './account.ts'
import { reqSecDefOptParams } from './chains.ts'
import { SINCE } from './encode.ts'
import type { FieldReader } from './fields.ts'
import { reqHistogramData } from './histogram.ts'
import { cancelHeadTimestamp, cancelHistoricalData, reqHeadTimestamp, reqHistoricalData } from './historical.ts'
import { reqContractDetails, reqCurrentTime, reqCurrentTimeInMillis, reqMatchingSymbols } from './lookups.ts'
import { cancelMktData, reqMarketDataType, reqMktData } from './marketdata.ts'
import type { Peer } from './peer.ts'
import { cancelRealTimeBars, reqRealTimeBars } from './realtime.ts'
import { reqMarketRule } from './rules.ts'
import { cancelTickByTick, reqTickByTick } from './tickbytick.ts'
import { reqHistoricalTicks } from './ticks.ts'
import { unknownTicker, unsupported } from './unsupported.ts'

type Handler = (peer: Peer, reader: FieldReader) => void

/** Requests that change nothing here and have no answer in TWS either. */
const accept: Handler = () => {}

/** What each message id does; the reader stands after the id. */
const HANDLERS: ReadonlyMap<number, Handler> = new Map<number, Handler>([
  [1, reqMktData],
  [2, cancelMktData],
  [3, refuseOrder],
  [4, refuseOrder],
  [5, closeWith(53, 1)],
  [6, reqAccountUpdates],
  [7, closeById(55, 1)],
  [8, sendNextId],
  [9, reqContractDetails],
  [10, unsupported('Market depth is', 1)],
  [11, unknownTicker(2)],
  [12, accept], // news bulletins: there are none
  [13, accept],
  [14, accept], // log level
  [15, accept], // automatic open orders
  [16, closeWith(53, 1)],
  [17, sendAccounts],
  [20, reqHistoricalData],
  [25, cancelHistoricalData],
  [49, reqCurrentTime],
  [50, reqRealTimeBars],
  [51, cancelRealTimeBars],
  [59, reqMarketDataType],
  [61, closeWith(62, 1)],
  [62, closeById(64, 1)],
  [63, accept],
  [64, accept],
  [74, closeById(72, 1)],
  [75, accept],
  [76, closeById(74, 1)],
  [77, accept],
  [78, reqSecDefOptParams],
  [80, closeWith(78, 0)],
  [81, reqMatchingSymbols],
  [82, closeWith(80, 0)],
  [85, closeWith(85, 0)],
  [87, reqHeadTimestamp],
  [88, reqHistogramData],
  [89, unknownTicker(0)],
  [90, cancelHeadTimestamp],
  [91, reqMarketRule],
  [96, reqHistoricalTicks],
  [97, reqTickByTick],
  [98, cancelTickByTick],
  [99, closeWith(102)],
  [105, reqCurrentTimeInMillis],
])

/** Does what one message asks; `messageId` in TWS's own numbering. Ids it does not know are answered by 505. */
export function handle(peer: Peer, messageId: number, reader: FieldReader): void {
  const tooNew = messageId === 105 && peer.version < SINCE.timeInMillis
  const handler = tooNew ? undefined : HANDLERS.get(messageId)
  if (handler) handler(peer, reader)
  else peer.error(-1, 505, `Fatal Error: Unknown message id. (${messageId})`)
}
