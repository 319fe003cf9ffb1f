import { TidegateError } from '@tidegate/core'
import type { MiddlewareHandler } from 'hono'
import { matchedRoutes } from 'hono/route'
import type { Caller } from './keys.ts'
import { answering, ROUTES } from './scopes.ts'

/** Lets through who shows a key that has the route's scope; routes that check a signature see to that themselves. */
export function createGuard(
  callerOf: (authorization: string | undefined) => Promise<Caller | undefined>,
): MiddlewareHandler {
  return async (c, next) => {
    const route = answering(matchedRoutes(c))
    const wanted = route === undefined ? undefined : ROUTES[route]
    if (wanted === 'nothing' || wanted === 'signature') return next()
    const given = c.req.header('authorization')
    const caller = await callerOf(given)
    if (!caller) {
      c.header('www-authenticate', 'Bearer')
      throw new TidegateError('unauthorized', given ? WRONG : MISSING)
    }
    // A path that is nobody's is told so to whoever has a key.
    if (caller.isOwner || route === undefined || (wanted !== undefined && caller.scopes.includes(wanted))) return next()
    const needs = wanted === undefined ? 'TIDEGATE_KEY itself' : `a key with the scope "${wanted}"`
    throw new TidegateError('forbidden', `${route} needs ${needs}; this key has ${caller.scopes.join(', ')}.`)
  }
}

const WRONG =
  'This key is not the one: expected "Authorization: Bearer KEY" with the TIDEGATE_KEY that this Tidegate runs with, or a key made with `tidegate keys create` and not revoked.'
const MISSING =
  'A key is needed: send "Authorization: Bearer KEY" with your TIDEGATE_KEY, or with a key made with `tidegate keys create`.'
