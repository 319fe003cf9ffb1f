import { TidegateError, toTidegateError } from '@tidegate/core'
import type { LiveEvent as ToldEvent } from '@tidegate/relay'
import type { Asking } from '../asking.ts'
import { type Clock, sleep } from '../clock.ts'
import type { GatewayLive, LiveEvent } from '../connection.ts'
import type { Login } from '../login.ts'
import type { PacedJob } from '../pacing.ts'
import type { Need } from '../readiness.ts'
import type { LoginState } from '../state.ts'
import type { Turn } from '../turn.ts'

/** Tick by tick, IBKR allows one request for an instrument in 15 seconds ("Tick-by-Tick Data"); bars are paced alike. */
export const REST_MS = 15_000
/** How long a subscription that broke may wait for pacing, or for IBKR to come back, before that is taken from the start. */
const PATIENCE_MS = 600_000
const PAUSE = { firstMs: 500, mostMs: 60_000 }
/** A subscription that lasted so long, or told anything, had been accepted. */
const ACCEPTED_MS = 10_000

/** One thing to subscribe to. */
export interface Live {
  readonly request: GatewayLive
  /** Canonical text: those who ask for the same share one subscription. */
  readonly identity: string
  readonly job: Omit<PacedJob, 'signal'>
  /** How urgent and how patient it is until it stands for the first time, where several want it; absent: as the job. */
  readonly turn?: Turn
}

/** What a subscription tells; `subscribed` when its request has gone, with the gap where it had broken. */
export type Told = LiveEvent & Pick<ToldEvent, 'gap'> & { readonly subscribed?: true }

/** Keeps subscriptions alive. */
export interface Keeper {
  /**
   * Subscribes and tells what comes; when the subscription breaks, makes it anew and tells the gap. Resolves when the
   * signal aborts; rejects with what ends it for good.
   */
  keep(live: Live, hear: { tell(event: Told): void; broken(): void }, signal: AbortSignal): Promise<void>
  close(): void
}

interface Attempt {
  readonly waitMs: number
  readonly turn: Turn | undefined
  sent(): void
  tell(event: Told): void
}

export function createKeeper({ clock, asking, login }: { clock: Clock; asking: Asking; login: Login }): Keeper {
  const askedMs = new Map<string, number>()
  const standing = new Map<AbortController, (event: Told) => void>()
  let epoch: number | undefined
  let outageMs: number | undefined
  const stopWatching = login.watch((state) => {
    const isNew = epoch !== undefined && state.epoch !== epoch
    epoch = state.epoch
    const before = outageMs
    outageMs = outageSince(state)
    for (const [attempt, tell] of [...standing]) {
      // After 1101 the connection is the same, and the subscriptions are gone.
      if (isNew) attempt.abort()
      // After 1102 they are kept, and nothing that happened meanwhile comes any more.
      else if (before !== undefined && outageMs === undefined) tell({ gap: gapOf(before, clock.now()) })
    }
  })

  /** IBKR's rest between two of the same. */
  async function rest({ identity, request }: Live, signal: AbortSignal): Promise<void> {
    const now = clock.now()
    for (const [key, ms] of askedMs) if (ms + REST_MS <= now) askedMs.delete(key)
    const last = askedMs.get(identity)
    if (last !== undefined && request.kind !== 'quotes')
      await sleep(clock, Math.min(REST_MS, last + REST_MS - now), signal)
  }

  /** Subscribes once; how that ended. */
  async function attempt(
    live: Live,
    { waitMs, turn, sent, tell }: Attempt,
    signal: AbortSignal,
  ): Promise<TidegateError> {
    const { request, identity, job } = live
    const need = needOf(request)
    const own = new AbortController()
    let ended: Promise<unknown> = Promise.resolve()
    try {
      await rest(live, signal)
      await asking.ask({ ...job, waitMs, turn, signal, obstacle: () => login.obstacle(need) }, async () => {
        askedMs.set(identity, clock.now())
        standing.set(own, tell)
        const both = AbortSignal.any([signal, own.signal])
        ended = login.ask(need, (connection) => connection.live(request, tell, both))
        // Waited for below: until then it may fail without anybody looking.
        ended.catch(() => {})
        sent()
      })
      await ended
      throw new Error('A subscription ended without saying why.')
    } catch (cause) {
      return toTidegateError(cause)
    } finally {
      standing.delete(own)
    }
  }

  return {
    async keep(live, { tell, broken }, signal) {
      let lostMs: number | undefined
      for (let pauseMs = PAUSE.firstMs; !signal.aborted; ) {
        let sentMs: number | undefined
        let heardMs: number | undefined
        const error = await attempt(
          live,
          {
            waitMs: lostMs === undefined ? live.job.waitMs : PATIENCE_MS,
            turn: lostMs === undefined ? live.turn : undefined,
            sent() {
              sentMs = clock.now()
              const gap = lostMs === undefined ? undefined : gapOf(lostMs, sentMs)
              tell({ subscribed: true, ...(gap && { gap }) })
            },
            tell(event) {
              heardMs = clock.now()
              tell(event)
            },
          },
          signal,
        )
        if (signal.aborted) return
        broken()
        const lastedMs = sentMs === undefined ? 0 : clock.now() - sentMs
        if (heardMs !== undefined || lastedMs >= ACCEPTED_MS) lostMs = heardMs ?? sentMs
        if (!passes(error, { sent: sentMs !== undefined, stood: lostMs !== undefined })) throw refusal(error)
        pauseMs = lastedMs >= PAUSE.mostMs ? PAUSE.firstMs : Math.min(pauseMs * 2, PAUSE.mostMs)
        await sleep(clock, pauseMs, signal)
      }
    },
    close: stopWatching,
  }
}

/** Since when IBKR, or a farm of live data, is out of the gateway's reach; undefined where all is well. */
function outageSince({ cutOff, farms }: LoginState): number | undefined {
  const broken = [...farms.values()].filter(({ kind, state }) => kind === 'market' && state === 'broken')
  const since = broken.map((farm) => Date.parse(farm.since))
  if (cutOff) since.push(cutOff.sinceMs)
  return since.length > 0 ? Math.min(...since) : undefined
}

/** Whole seconds that hold everything between, epoch. */
function gapOf(fromMs: number, toMs: number): { from: number; to: number } {
  return { from: Math.floor(fromMs / 1000), to: Math.ceil(toMs / 1000) }
}

/** What a subscription needs of the login: history for bars; for the others, no more than that IBKR is there. */
function needOf({ kind }: GatewayLive): Need {
  return kind === 'bars' ? 'history' : 'definition'
}

/** IBKR has too many already (101, 10190): it says not until when, and never takes the same again sooner than this. */
function refusal(error: TidegateError): TidegateError {
  const { kind, message, code, retryAfterMs = REST_MS } = error
  return kind === 'busy' || kind === 'pacing'
    ? new TidegateError(kind, message, { cause: error, code, retryAfterMs })
    : error
}

/** Whether a subscription that ended so is made anew: what broke under it passes, what IBKR refused from the start does not. */
function passes({ kind }: TidegateError, { sent, stood }: { sent: boolean; stood: boolean }): boolean {
  if (kind === 'disconnected' || kind === 'farm-down') return sent || stood
  return stood && (kind === 'competing-session' || kind === 'timeout' || kind === 'pacing' || kind === 'busy')
}
