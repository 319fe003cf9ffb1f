import type { IngestOptions } from '../types.ts'

/** Nobody waits for this: a bridge that takes longer is asked again at the next pass. */
const STATUS_TIMEOUT_MS = 5000

/**
 * Asks the bridge where its login stands: a person who must log in is told so once, and once more only after the gateway
 * was logged in again. A bridge that does not answer changes nothing.
 */
export async function tellLogin(
  { store, relay, now, log }: Pick<IngestOptions, 'store' | 'relay' | 'now' | 'log'>,
  timeout: (ms: number) => AbortSignal,
): Promise<void> {
  const status = await relay.status(timeout(STATUS_TIMEOUT_MS)).catch((err: unknown) => {
    log.info({ err }, 'the bridge does not say where its login stands')
    return undefined
  })
  const { phase, reason } = status?.gateway ?? {}
  if (phase === 'login-required') {
    const told = reason ?? 'A person must log in at the gateway.'
    if (await store.noteLogin(told, Math.floor(now() / 1000))) log.warn({ reason: told }, 'a login is required')
  }
  if (phase === 'ready' || phase === 'degraded') await store.clearLogin()
}
