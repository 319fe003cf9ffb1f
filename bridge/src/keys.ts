import { createHash, timingSafeEqual } from 'node:crypto'
import { TidegateError } from '@tidegate/core'
import type { MiddlewareHandler } from 'hono'

/** What a key lets its holder do: ask for what has been, or subscribe to what is as it comes. */
export type Scope = 'read' | 'live'

const ALL: ReadonlySet<Scope> = new Set(['read', 'live'])
const READ: ReadonlySet<Scope> = new Set(['read'])
const NONE: ReadonlySet<Scope> = new Set()

/** The keys of the bridge, known by their hashes alone. */
export interface Keyring {
  /** The scopes of the key in an `Authorization: Bearer KEY` header; none where there is no such key. */
  scopesOf(authorization: string | undefined): ReadonlySet<Scope>
}

/** `keys` may do everything, `readKeys` only read. Every hash is compared, each in constant time. */
export function createKeyring(keys: readonly string[], readKeys: readonly string[] = []): Keyring {
  const known = [
    ...keys.map((key) => ({ hash: digest(key), scopes: ALL })),
    ...readKeys.map((key) => ({ hash: digest(key), scopes: READ })),
  ]
  return {
    scopesOf(authorization) {
      const given = digest(/^Bearer (.+)$/.exec(authorization ?? '')?.[1] ?? '')
      let scopes = NONE
      for (const { hash, scopes: own } of known) scopes = timingSafeEqual(hash, given) && scopes === NONE ? own : scopes
      return scopes
    },
  }
}

/**
 * Throws `unauthorized` where the header holds none of the keys, `forbidden` where its key lacks the scope.
 * For what is no route of Hono's, such as the upgrade to a WebSocket.
 */
export function assertScope(keyring: Keyring, authorization: string | undefined, scope: Scope): void {
  const scopes = keyring.scopesOf(authorization)
  if (scopes.size === 0) {
    throw new TidegateError(
      'unauthorized',
      'A key is needed: send "Authorization: Bearer KEY" with the bridge’s BRIDGE_KEY.',
    )
  }
  if (!scopes.has(scope)) {
    const have = [...scopes].join(', ')
    throw new TidegateError(
      'forbidden',
      `This key may ${have} and this needs "${scope}": send the bridge’s BRIDGE_KEY.`,
    )
  }
}

/** A Hono middleware that lets only keys of this scope pass. */
export function requireScope(keyring: Keyring, scope: Scope): MiddlewareHandler {
  return async (c, next) => {
    assertScope(keyring, c.req.header('authorization'), scope)
    await next()
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
