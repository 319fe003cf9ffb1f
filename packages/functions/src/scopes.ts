import type { Scope } from '@tidegate/db'

export const SCOPES = ['read', 'run', 'admin'] as const satisfies readonly Scope[]

/** What a route wants of its caller: a key with a scope, a signature that the route itself checks, or nothing. */
export type Access = Scope | 'signature' | 'nothing'

/**
 * Every route, and what it wants. One that is not here is for `TIDEGATE_KEY` alone, and fails a test. What names addresses,
 * keys and hooks is for `admin` also to be read: the URL of a webhook often is a secret itself.
 */
export const ROUTES: Readonly<Record<string, Access>> = {
  'GET /health': 'nothing',
  'POST /v1/plan': 'read',
  'POST /v1/runs': 'run',
  'GET /v1/runs': 'read',
  'GET /v1/runs/:id': 'read',
  'POST /v1/runs/:id/cancel': 'run',
  'GET /v1/bars': 'read',
  'GET /v1/series': 'read',
  'GET /v1/coverage': 'read',
  'GET /v1/restatements': 'read',
  'GET /v1/adjustments': 'read',
  'POST /v1/adjustments/:id/abandon': 'admin',
  'GET /v1/status': 'read',
  'POST /v1/datasets': 'admin',
  'GET /v1/datasets': 'read',
  'GET /v1/datasets/:name': 'read',
  'PATCH /v1/datasets/:name': 'admin',
  'DELETE /v1/datasets/:name': 'admin',
  'POST /v1/datasets/:name/runs': 'run',
  'POST /v1/webhooks': 'admin',
  'GET /v1/webhooks': 'admin',
  'DELETE /v1/webhooks/:id': 'admin',
  'GET /v1/webhooks/:id/deliveries': 'admin',
  'POST /v1/webhooks/:id/test': 'admin',
  'POST /v1/deliveries/:id/redo': 'admin',
  'GET /v1/hooks': 'admin',
  'PUT /v1/hooks/:name': 'admin',
  'DELETE /v1/hooks/:name': 'admin',
  'POST /v1/hooks/:name': 'signature',
  'POST /v1/keys': 'admin',
  'GET /v1/keys': 'admin',
  'DELETE /v1/keys/:id': 'admin',
}

/** One of the routes that a request matches. */
export interface Route {
  readonly method: string
  readonly path: string
}

/** The route that answers, of all that a request matches: the first that is for a method, as middleware is for all of them. */
export function answering(routes: readonly Route[]): string | undefined {
  const route = routes.find(({ method }) => method !== 'ALL')
  return route && `${route.method} ${route.path}`
}
