import { type ErrorKind, type Priority, TidegateError, toTidegateError } from '@tidegate/core'
import type { Relay } from './client.ts'
import { isOf, type Market, marketName, marketOf } from './market.ts'
import type { BarsRequest, BridgeReport, BridgeStatus } from './schema/index.ts'
import { createStanding, type Draw, type NamedBridge, type Standing } from './standing.ts'

/** How often a bridge is looked at while others are asked: one that can't be asked less often, one that just failed sooner. */
const LOOK_MS = 5000
const LOOK_SUSPECT_MS = 1000
const LOOK_AWAY_MS = 15_000
/** A bridge that takes longer to say how it is counts as away. */
const LOOK_TIMEOUT_MS = 2000
const SMALL_SIZES: ReadonlySet<string> = new Set(['1 secs', '5 secs', '10 secs', '15 secs', '30 secs'])

export interface RelaysOptions {
  /** Epoch milliseconds. */
  readonly now: () => number
  /** A signal that aborts after `ms`. Default: AbortSignal.timeout. */
  readonly timeout?: (ms: number) => AbortSignal
}

interface Asking {
  /** Where permission is needed; undefined where none is. */
  readonly market: Market | undefined
  /** Its weight in the budget of small bars. */
  readonly small: number
  readonly priority: Priority
}

/**
 * Several bridges, each with a login of its own, as one relay. A request goes to a bridge that may ask for its market and
 * has the most room; one that is away, busy or without permission is passed over for the next. What one bridge failed
 * at is no other's failure: an error comes back only when none could be asked, that of the one that can soonest; an error of
 * the request itself at once. All of them must have the same kind of gateway: `invalid` when some are simulated.
 */
export function createRelays(
  bridges: readonly NamedBridge[],
  { now, timeout = (ms) => AbortSignal.timeout(ms) }: RelaysOptions,
): Relay {
  const standings = bridges.map((bridge) => ({
    standing: createStanding(bridge),
    lookedAtMs: Number.NEGATIVE_INFINITY,
  }))
  let turn = 0

  /** Who finds a look due takes it, and the others go on with what is known: nobody waits for another's request. */
  async function look(): Promise<void> {
    const due = standings.filter(({ lookedAtMs, standing }) => {
      const everyMs = standing.isSuspect ? LOOK_SUSPECT_MS : standing.isAway ? LOOK_AWAY_MS : LOOK_MS
      return now() - lookedAtMs >= everyMs
    })
    for (const one of due) one.lookedAtMs = now()
    await Promise.all(due.map(({ standing }) => see(standing, timeout(LOOK_TIMEOUT_MS))))
    refuseMixture(standings.map(({ standing }) => standing))
  }

  async function ask<T>(
    { market, small, priority }: Asking,
    signal: AbortSignal | undefined,
    call: (relay: Relay) => Promise<T>,
  ): Promise<T> {
    await look()
    const draw: Draw = { market: market && marketName(market), small, priority }
    const left = new Set(
      standings.flatMap(({ standing }) => (!market || isOf(market, standing.markets) ? [standing] : [])),
    )
    if (market && left.size === 0) throw nobodyMay(market)
    const errors: TidegateError[] = []
    while (left.size > 0) {
      const next = best([...left], draw, now())
      left.delete(next)
      const obstacle = next.obstacle(draw, now())
      if (obstacle) {
        errors.push(obstacle)
        continue
      }
      const end = next.begin(draw, ++turn)
      try {
        const answer = await call(next.relay)
        next.learn(draw, undefined, now())
        return answer
      } catch (cause) {
        // Who hung up says nothing of the bridge.
        if (signal?.aborted) throw cause
        const error = toTidegateError(cause)
        next.learn(draw, error, now())
        if (!HOPES.includes(error.kind)) throw error
        errors.push(error)
      } finally {
        end()
      }
    }
    throw soonest(errors)
  }

  return {
    contracts: (request, signal) => ask(anywhere(request), signal, (relay) => relay.contracts(request, signal)),
    search: (request, signal) => ask(anywhere(request), signal, (relay) => relay.search(request, signal)),
    chains: (request, signal) => ask(anywhere(request), signal, (relay) => relay.chains(request, signal)),
    bars: (request, signal) => ask(there(request, weightOf(request)), signal, (relay) => relay.bars(request, signal)),
    ticks: (request, signal) => ask(there(request, 1), signal, (relay) => relay.ticks(request, signal)),
    head: (request, signal) => ask(there(request, 1), signal, (relay) => relay.head(request, signal)),
    sessions: (request, signal) => ask(there(request, 0), signal, (relay) => relay.sessions(request, signal)),

    async status(signal) {
      const seen = await Promise.all(
        standings.map(async (one) => {
          one.lookedAtMs = now()
          return { name: one.standing.name, found: await see(one.standing, signal) }
        }),
      )
      refuseMixture(standings.map(({ standing }) => standing))
      const answered = seen.flatMap(({ found }) => (found instanceof TidegateError ? [] : [found]))
      const first = answered.find(({ gateway }) => gateway.state === 'ready') ?? answered[0]
      if (!first) throw soonest(seen.flatMap(({ found }) => (found instanceof TidegateError ? [found] : [])))
      return { ...first, bridges: seen.map(({ name, found }) => reportOf(name, found)) }
    },
  }
}

type Request = { readonly priority?: Priority | undefined }

/** Details and names need no permission. */
function anywhere({ priority = 'interactive' }: Request): Asking {
  return { market: undefined, small: 0, priority }
}

function there({ contract, priority = 'interactive' }: Request & Pick<BarsRequest, 'contract'>, small: number): Asking {
  return { market: marketOf(contract), small, priority }
}

/** IBKR's class of small bars, in which BID_ASK counts twice (TWS API documentation, "Historical Data Limitations"). */
function weightOf({ barSize, whatToShow }: BarsRequest): number {
  if (!SMALL_SIZES.has(barSize)) return 0
  return whatToShow === 'BID_ASK' ? 2 : 1
}

/** Asks a bridge how it is, and has it noted. */
async function see(standing: Standing, signal: AbortSignal | undefined): Promise<BridgeStatus | TidegateError> {
  const { open } = standing
  const found = await standing.relay.status(signal).catch((cause: unknown) => toTidegateError(cause))
  if (found instanceof TidegateError && signal?.aborted) standing.miss(found)
  else standing.see(found, open)
  return found
}

function best(standings: readonly Standing[], draw: Draw, nowMs: number): Standing {
  return standings.reduce((first, other) =>
    isBefore(other.rank(draw, nowMs), first.rank(draw, nowMs)) ? other : first,
  )
}

function isBefore(some: readonly number[], others: readonly number[]): boolean {
  const i = some.findIndex((value, at) => value !== others[at])
  return i >= 0 && (some[i] ?? 0) < (others[i] ?? 0)
}

/** What another bridge may be able to where this one was not: the sooner it passes by, the earlier it stands. */
const HOPES: readonly ErrorKind[] = [
  ...(['busy', 'pacing', 'farm-down', 'competing-session', 'disconnected'] as const),
  ...(['login-required', 'no-permission', 'forbidden', 'unauthorized'] as const),
]

function soonest(errors: readonly TidegateError[]): TidegateError {
  const place = ({ kind, retryAfterMs = 0 }: TidegateError) => [HOPES.indexOf(kind), retryAfterMs]
  const [first, ...others] = errors
  if (!first) return new TidegateError('internal', 'There are no bridges to ask: expected one at least.')
  return others.reduce((least, error) => (isBefore(place(error), place(least)) ? error : least), first)
}

function nobodyMay(market: Market): TidegateError {
  return new TidegateError(
    'no-permission',
    `No bridge may be asked for ${marketName(market)}: none of BRIDGES has it among its "markets".`,
  )
}

/** Made-up data and real ones must never come out of one relay. */
function refuseMixture(standings: readonly Standing[]): void {
  const of = (kind: boolean) => standings.find(({ simulated }) => simulated === kind)?.name
  const [simulated, real] = [of(true), of(false)]
  if (simulated === undefined || real === undefined) return
  throw new TidegateError(
    'invalid',
    `The bridge "${simulated}" is connected to the simulator and "${real}" to a real gateway: the two must not mix. ` +
      'Take one of them out of BRIDGES.',
  )
}

function reportOf(name: string, found: BridgeStatus | TidegateError): BridgeReport {
  return found instanceof TidegateError ? { name, ok: false, error: found.toJSON() } : { name, ok: true, ...found }
}
