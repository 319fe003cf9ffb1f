import { type Contract, type ContractDetails, instrumentId, parseInstrument, TidegateError } from '@tidegate/core'
import type { Instrument } from '@tidegate/db'
import type { Origin } from './origin.ts'
import { answered } from './questions.ts'
import type { IngestOptions } from './types.ts'

/** How long a stored definition is taken as it is before the gateway is asked again. */
const FRESH_SEC = 86_400

/**
 * The stored instrument of an id or a bare name; the gateway is asked where it is not stored or a day old.
 * Throws `invalid` for an id that is none or fits several contracts, `not-found` for a contract IBKR does not know, `timeout`
 * where the bridge does not answer in half a minute.
 */
export async function resolveInstrument(
  text: string,
  options: Pick<IngestOptions, 'store' | 'relay' | 'now' | 'log' | 'timeout'>,
  origin: Origin,
): Promise<Instrument> {
  const { store, relay, now, log } = options
  const asked = parseInstrument(text)
  const name = text.trim().toUpperCase()
  const nowSec = Math.floor(now() / 1000)
  const stored = await store.instrument(name)
  if (stored && Math.abs(nowSec - stored.updatedAt) < FRESH_SEC) return stored
  try {
    // A made-up definition must not replace a real one, any more than bars may.
    await origin.check()
    const request = { contract: asked, priority: 'interactive' } as const
    const details = only(await answered((signal) => relay.contracts(request, signal), options))
    const id = instrumentId(details.contract)
    await store.putInstrument(id, details, nowSec, name === id ? undefined : name)
    return { id, details, updatedAt: nowSec }
  } catch (error) {
    // IBKR answers 200 falsely during outages: what was a contract yesterday is one today.
    if (!stored) throw named(name, error)
    log.warn({ instrument: name, err: error }, 'its definition could not be refreshed; the stored one is used')
    return stored
  }
}

function only(found: readonly ContractDetails[]): ContractDetails {
  const [first, ...others] = found
  if (!first) throw new TidegateError('not-found', 'IBKR knows no such contract.')
  if (others.length === 0) return first
  const ids = found.slice(0, 8).map((details) => instrumentId(details.contract))
  throw new TidegateError(
    'invalid',
    `it fits ${found.length} contracts (${[...new Set(ids)].join(', ')}): name one of them.`,
  )
}

function named(name: string, error: unknown): unknown {
  if (!(error instanceof TidegateError)) return error
  return new TidegateError(error.kind, `${name}: ${error.message}`, {
    cause: error,
    code: error.code,
    retryAfterMs: error.retryAfterMs,
  })
}

/**
 * The contract to ask history of: by its conId, at the exchange it is routed through. Where it is listed is said too: by that
 * one of several bridges is chosen.
 */
export function askable({ details }: Instrument): Contract {
  const { conId, secType, symbol, exchange, primaryExchange, currency } = details.contract
  const expires = secType === 'FUT' || secType === 'FOP' || secType === 'OPT'
  return {
    ...{ conId, secType, symbol, exchange, currency },
    ...(primaryExchange ? { primaryExchange } : {}),
    ...(expires ? { includeExpired: true } : {}),
  }
}
