import { createHash, timingSafeEqual } from 'node:crypto'

/** Tells whether a bearer header holds one of the keys. Hashes are compared, all of them, in constant time. */
export function createKeyCheck(keys: readonly string[]): (authorization: string | undefined) => boolean {
  const known = keys.map(digest)
  return (authorization) => {
    const given = digest(/^Bearer (.+)$/.exec(authorization ?? '')?.[1] ?? '')
    let fits = false
    for (const key of known) fits = timingSafeEqual(key, given) || fits
    return fits
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
