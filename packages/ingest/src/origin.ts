import { TidegateError } from '@tidegate/core'
import type { Store } from '@tidegate/db'
import type { Relay } from '@tidegate/relay'

const TRUST_MS = 60_000

/**
 * Guards a database against two origins: made-up bars must never lie beside real ones. The check it returns asks the
 * bridge at most once a minute and throws `invalid` when gateway and database don't go together.
 */
export function createOriginCheck(store: Store, relay: Relay, now: () => number): () => Promise<void> {
  let checkedAtMs = Number.NEGATIVE_INFINITY
  return async () => {
    if (now() - checkedAtMs < TRUST_MS) return
    const { gateway } = await relay.status()
    if (gateway.state !== 'ready') {
      throw new TidegateError(
        'disconnected',
        `The bridge is not connected to a gateway: ${gateway.reason ?? gateway.state}.`,
      )
    }
    const origin = gateway.simulated ? 'simulated' : 'gateway'
    const found = await store.stampOrigin(origin)
    if (found !== origin) throw new TidegateError('invalid', mismatch(found))
    checkedAtMs = now()
  }
}

function mismatch(found: 'simulated' | 'gateway'): string {
  const [here, there] = found === 'simulated' ? ['simulated data', 'a real gateway'] : ['real data', 'the simulator']
  return (
    `This database holds ${here} and the bridge is connected to ${there}: the two must not mix. ` +
    'Use another DATABASE_URL, or move the embedded database (.tidegate/db) away.'
  )
}
