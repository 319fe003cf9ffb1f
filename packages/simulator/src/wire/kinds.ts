import { isSmall, type JudgedRequest } from '../judge.ts'
import type { ContractQuery } from '../market/types.ts'
import { FieldError, FieldReader } from './fields.ts'
import { type Gateway, nowSec } from './gateway.ts'
import { parseBarSize } from './limits.ts'
import { resolve } from './resolve.ts'

/** The farm that serves a request: historical data (HMDS), definitions of contracts, or live market data. */
export type Farm = 'history' | 'definition' | 'market'

interface Kind {
  readonly farm: Farm
  /** Where the request's id stands among the fields. */
  readonly idAt: number
}

/** The requests that a farm answers, by message id; everything else is the gateway's own. */
const KINDS: ReadonlyMap<number, Kind> = new Map<number, Kind>([
  [1, { farm: 'market', idAt: 2 }],
  [9, { farm: 'definition', idAt: 2 }],
  [20, { farm: 'history', idAt: 1 }],
  [50, { farm: 'market', idAt: 2 }],
  [78, { farm: 'definition', idAt: 1 }],
  [81, { farm: 'definition', idAt: 1 }],
  [87, { farm: 'history', idAt: 1 }],
  [88, { farm: 'history', idAt: 1 }],
  [96, { farm: 'history', idAt: 1 }],
  [97, { farm: 'market', idAt: 1 }],
])

/** The farm and the id of a request; undefined for what no farm answers, and where the id cannot be read. */
export function kindOf(messageId: number, fields: readonly string[]): { farm: Farm; reqId: number } | undefined {
  const kind = KINDS.get(messageId)
  const reqId = Number(fields[kind?.idAt ?? 0])
  return kind && Number.isInteger(reqId) ? { farm: kind.farm, reqId } : undefined
}

/** What the pacing rules look at of a message: undefined for messages they do not look at, and for those that cannot be read. */
export function judgedOf(gateway: Gateway, messageId: number, fields: readonly string[]): JudgedRequest | undefined {
  const read = READERS.get(messageId)
  try {
    return read?.(gateway, fields)
  } catch (error) {
    // What cannot be read is refused by its handler, in words.
    if (error instanceof FieldError) return undefined
    throw error
  }
}

/** A size that is none is refused as such, and stands for a long one here. */
const LONG_SEC = 60

type Judged = (gateway: Gateway, fields: readonly string[]) => JudgedRequest | undefined

const READERS: ReadonlyMap<number, Judged> = new Map<number, Judged>([
  [
    20,
    (gateway, fields) => {
      const reader = new FieldReader(fields, 2)
      const query = reader.contract()
      const end = reader.text()
      const size = reader.text()
      // No rule looks at bars of a minute and longer, so nobody has to know whose they are.
      if (!isSmall({ kind: 'bars', barSec: parseBarSize(size)?.seconds ?? LONG_SEC })) return undefined
      const what = named(gateway, query)
      const rest = [reader.text(), reader.text()]
      const whatToShow = reader.text().toUpperCase()
      return judged('bars', what, whatToShow, [end, size, ...rest, reader.text()], parseBarSize(size)?.seconds)
    },
  ],
  [
    50,
    (gateway, fields) => {
      const reader = new FieldReader(fields, 3)
      const what = named(gateway, reader.contract(false))
      const size = reader.text()
      return judged('realtime', what, reader.text().toUpperCase(), [size, reader.text()])
    },
  ],
  [
    87,
    (gateway, fields) => {
      const reader = new FieldReader(fields, 2)
      const what = named(gateway, reader.contract())
      const useRTH = reader.text()
      return judged('head', what, reader.text().toUpperCase(), [useRTH, reader.text()])
    },
  ],
  [
    96,
    (gateway, fields) => {
      const reader = new FieldReader(fields, 2)
      const what = named(gateway, reader.contract())
      const range = [reader.text(), reader.text(), reader.text()]
      return judged('ticks', what, reader.text().toUpperCase(), [...range, reader.text(), reader.text()])
    },
  ],
])

interface Named {
  readonly contract: string
  readonly exchange: string
}

/** A contract by its id, however it was described; where that is not one contract, by the description. */
function named(gateway: Gateway, query: ContractQuery): Named {
  const [listing, second] = resolve(gateway.market, query, nowSec(gateway))
  const contract = listing && !second ? String(listing.conId) : Object.values(query).join('|')
  return { contract, exchange: query.exchange }
}

function judged(
  kind: JudgedRequest['kind'],
  { contract, exchange }: Named,
  whatToShow: string,
  rest: readonly string[],
  barSec?: number,
): JudgedRequest {
  const identity = [contract, exchange, whatToShow, ...rest].join(' ')
  return { kind, contract, exchange, whatToShow, identity, ...(barSec === undefined ? {} : { barSec }) }
}
