import { TidegateError } from '@tidegate/core'

export const MIN_KEY_LENGTH = 32

/**
 * Tells whether an Authorization header holds one of the keys. SHA-256 hashes are compared, all of them and every byte,
 * so that the time taken says nothing. WebCrypto alone: the same on Node and in a Worker.
 * Throws `invalid` for a list without keys or with one of fewer than 32 characters.
 */
export function createKeyCheck(keys: readonly string[]): (authorization: string | undefined) => Promise<boolean> {
  if (keys.length === 0 || keys.some((key) => key.length < MIN_KEY_LENGTH)) {
    throw new TidegateError('invalid', `TIDEGATE_KEY needs a key of at least ${MIN_KEY_LENGTH} characters.`)
  }
  let known: Promise<Uint8Array[]> | undefined
  return async (authorization) => {
    // Hashed at the first request: a Worker may not do such work while it is loaded.
    known ??= Promise.all(keys.map(sha256))
    const given = await sha256(/^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1] ?? '')
    let fits = false
    for (const key of await known) fits = isSame(key, given) || fits
    return fits
  }
}

async function sha256(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0)
  return difference === 0
}
