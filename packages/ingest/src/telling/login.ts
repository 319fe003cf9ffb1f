import type { BridgeStatus, RelayStatus } from '@tidegate/relay'
import type { IngestOptions } from '../types.ts'

/** Nobody waits for this: a bridge that takes longer is asked again at the next pass. */
const STATUS_TIMEOUT_MS = 5000

/**
 * Asks the bridge where its login stands: a person who must log in is told so once, and once more only after the gateway
 * was logged in again. A bridge that does not answer changes nothing. Of several bridges each has its login: one that is out
 * is told of, and over only once all are in.
 */
export async function tellLogin(
  { store, relay, now, log }: Pick<IngestOptions, 'store' | 'relay' | 'now' | 'log'>,
  timeout: (ms: number) => AbortSignal,
): Promise<void> {
  const status = await relay.status(timeout(STATUS_TIMEOUT_MS)).catch((err: unknown) => {
    log.info({ err }, 'the bridge does not say where its login stands')
    return undefined
  })
  const logins = status ? loginsOf(status) : []
  const out = logins.find(({ phase }) => phase === 'login-required')
  if (out && (await store.noteLogin(out.told, Math.floor(now() / 1000)))) {
    log.warn({ reason: out.told }, 'a login is required')
  }
  if (logins.length > 0 && logins.every(({ phase }) => phase === 'ready' || phase === 'degraded'))
    await store.clearLogin()
}

interface Login {
  /** Undefined for a bridge that does not answer. */
  readonly phase: BridgeStatus['gateway']['phase'] | undefined
  readonly told: string
}

/** Where each login stands: one, or one a bridge, which is then named. */
function loginsOf({ gateway, bridges }: RelayStatus): Login[] {
  const asked = 'A person must log in at the gateway.'
  if (!bridges) return [{ phase: gateway.phase, told: gateway.reason ?? asked }]
  return bridges.map((bridge) => ({
    phase: bridge.ok ? bridge.gateway.phase : undefined,
    told: `At the bridge "${bridge.name}": ${(bridge.ok ? bridge.gateway.reason : bridge.error.message) ?? asked}`,
  }))
}
