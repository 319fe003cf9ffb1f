import { TidegateError } from '@tidegate/core'
import type { Scope, Store } from '@tidegate/db'
import { hashOf, isSame, keyId } from './mint.ts'
import { SCOPES } from './scopes.ts'

export const MIN_KEY_LENGTH = 32

/** Whose request it is, and what it may do. */
export interface Caller {
  readonly scopes: readonly Scope[]
  /** Whether it showed a `TIDEGATE_KEY` itself, which opens everything. */
  readonly isOwner: boolean
}

/**
 * Tells who an Authorization header shows; undefined where its key is none, or was revoked. A `TIDEGATE_KEY` is all scopes;
 * other keys are looked up at each request, so that a revoked one opens nothing from then on. SHA-256 hashes are compared,
 * every character of them, so that the time taken says nothing. WebCrypto alone: the same on Node and in a Worker.
 * Throws `invalid` for a list without keys or with one of fewer than 32 characters.
 */
export function createKeyCheck(
  keys: readonly string[],
  store: Pick<Store, 'apiKey'>,
): (authorization: string | undefined) => Promise<Caller | undefined> {
  if (keys.length === 0 || keys.some((key) => key.length < MIN_KEY_LENGTH)) {
    throw new TidegateError('invalid', `TIDEGATE_KEY needs a key of at least ${MIN_KEY_LENGTH} characters.`)
  }
  let known: Promise<string[]> | undefined
  return async (authorization) => {
    // Hashed at the first request: a Worker may not do such work while it is loaded.
    known ??= Promise.all(keys.map(hashOf))
    const given = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1] ?? ''
    const hash = await hashOf(given)
    let isOwner = false
    for (const key of await known) isOwner = isSame(key, hash) || isOwner
    if (isOwner) return { scopes: SCOPES, isOwner }
    const id = keyId(given)
    const key = id === undefined ? undefined : await store.apiKey(id)
    if (!key || !isSame(key.hash, hash) || key.revokedAt !== undefined) return undefined
    return { scopes: key.scopes, isOwner }
  }
}
