import { type ErrorBody, toTidegateError } from '@tidegate/core'
import type { Store } from '@tidegate/db'
import type { Relay } from '@tidegate/relay'
import { Hono } from 'hono'
import type { StatusAnswer } from '../answers.ts'

/** A person waits for this answer: a bridge that takes longer counts as not answering. */
const BRIDGE_TIMEOUT_MS = 5000

/** Whether database and bridge answer, and why not. Always 200: that it was found out is the answer. */
export function statusRoutes({ store, relay }: { store: Store; relay: Relay }): Hono {
  const routes = new Hono()
  routes.get('/status', async (c) => {
    const [database, bridge] = await Promise.all([
      store.ping().then((): StatusAnswer['database'] => ({ ok: true }), failed),
      relay
        .status(AbortSignal.timeout(BRIDGE_TIMEOUT_MS))
        .then((status): StatusAnswer['bridge'] => ({ ok: true, ...status }), failed),
    ])
    return c.json<StatusAnswer>({ database, bridge })
  })
  return routes
}

function failed(cause: unknown): { readonly ok: false; readonly error: ErrorBody } {
  return { ok: false, error: toTidegateError(cause).toJSON() }
}
