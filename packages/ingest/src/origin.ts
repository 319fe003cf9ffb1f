import { TidegateError } from '@tidegate/core'
import type { Store } from '@tidegate/db'
import type { Relay, RelayStatus } from '@tidegate/relay'

const TRUST_MS = 60_000
/** A bridge that takes longer to say how it is does not answer. */
const STATUS_MS = 10_000
/** One that did not answer is left alone so long: not each dataset of a tick waits for it anew. */
const HUNG_MS = 30_000
/** A gateway's clock so far behind ours tells another time: a replay does. Less is a clock that is not set well. */
const FAR_MS = 3_600_000

type Kind = 'simulated' | 'gateway'

/** Guards a database against two origins: made-up bars must never lie beside real ones. */
export interface Origin {
  /**
   * Asks the bridge where it is connected to; a `fresh` check always, any other once a minute. Throws `invalid` when gateway
   * and database don't go together, `disconnected` while there is no gateway.
   */
  check(options?: { readonly fresh?: boolean }): Promise<void>
  /** Throws `invalid` for an answer that does not go together with the database: gateways change between check and answer. */
  admit(simulated: boolean): Promise<void>
  /**
   * By which clock IBKR's rules of what it keeps go, epoch seconds: the gateway's where that is behind ours, as a replay's
   * is; ours while it is not known. Never throws.
   */
  keptSec(): Promise<number>
  /**
   * Up to when a gateway can have anything, epoch seconds: its clock where that is an hour or more behind ours, as a replay's
   * is; ours otherwise, and while it is not known. Never throws.
   */
  untilSec(): Promise<number>
  /** What the bridges allowed when they were last asked, all of them together; undefined while they have not been heard of. */
  allowance(): Allowance | undefined
}

/** What bridges let go at once, by their own word. */
export interface Allowance {
  readonly messagesPerSec: number
  readonly openRequests: number
}

/** A stamp never changes once it is there, so it is read once. */
export function createOrigin(
  store: Store,
  relay: Relay,
  now: () => number,
  timeout: (ms: number) => AbortSignal = (ms) => AbortSignal.timeout(ms),
): Origin {
  let hung: { readonly untilMs: number; readonly error: unknown } | undefined
  let checkedAtMs = Number.NEGATIVE_INFINITY
  let behindMs = 0
  let stamped: Kind | undefined
  let allowed: Allowance | undefined

  async function admit(simulated: boolean): Promise<void> {
    const origin: Kind = simulated ? 'simulated' : 'gateway'
    stamped ??= await store.stampOrigin(origin)
    if (stamped !== origin) throw new TidegateError('invalid', mismatch(stamped))
  }

  async function statusNow(): Promise<RelayStatus> {
    const signal = timeout(STATUS_MS)
    try {
      return await relay.status(signal)
    } catch (error) {
      if (signal.aborted) hung = { untilMs: now() + HUNG_MS, error }
      throw error
    }
  }

  async function check({ fresh = false }: { readonly fresh?: boolean } = {}): Promise<void> {
    // Either way: a clock that was put back would be trusted until it is there again.
    if (!fresh && Math.abs(now() - checkedAtMs) < TRUST_MS) return
    if (!fresh && hung && now() < hung.untilMs) throw hung.error
    const status = await statusNow()
    const { gateway } = status
    allowed = allowanceOf(status)
    if (gateway.state !== 'ready') {
      throw new TidegateError(
        'disconnected',
        `The bridge is not connected to a gateway: ${gateway.reason ?? `${gateway.state}.`}`,
      )
    }
    await admit(gateway.simulated)
    checkedAtMs = now()
    behindMs = gateway.time === undefined ? 0 : Math.max(0, checkedAtMs - Date.parse(gateway.time))
  }

  async function lagMs(): Promise<number> {
    try {
      await check()
    } catch (error) {
      // Whoever asks the gateway hears of it; a plan by what is stored alone needs no gateway.
      if (!(error instanceof TidegateError)) throw error
    }
    return behindMs
  }

  return {
    admit,
    check,
    allowance: () => allowed,
    keptSec: async () => secOf(now() - (await lagMs())),
    async untilSec() {
      const lag = await lagMs()
      return secOf(now() - (lag < FAR_MS ? 0 : lag))
    },
  }
}

function secOf(ms: number): number {
  return Math.floor(ms / 1000)
}

function allowanceOf({ pacing, bridges }: RelayStatus): Allowance {
  const all = bridges?.flatMap((bridge) => (bridge.ok ? [bridge.pacing] : [])) ?? [pacing]
  return {
    messagesPerSec: all.reduce((sum, { maxMessagesPerSecond }) => sum + maxMessagesPerSecond, 0),
    openRequests: all.reduce((sum, { maxOpen }) => sum + maxOpen, 0),
  }
}

function mismatch(found: Kind): string {
  const [here, there] = found === 'simulated' ? ['simulated data', 'a real gateway'] : ['real data', 'the simulator']
  return (
    `This database holds ${here} and the bridge is connected to ${there}: the two must not mix. ` +
    'Use another DATABASE_URL, or move the embedded database (.tidegate/db) away.'
  )
}
