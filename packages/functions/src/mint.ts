/** So many bytes that nobody can guess: `crypto.getRandomValues` on every runtime. */
export type RandomBytes = (count: number) => Uint8Array

export const randomBytes: RandomBytes = (count) => crypto.getRandomValues(new Uint8Array(count))

const ID_BYTES = 6
/** 256 bits: as hard to guess as SHA-256 is to turn around, which is all that is stored of a key. */
const SECRET_BYTES = 32

/** `whk_3f2a…`: a short name for something, nothing secret. */
export function mintId(prefix: string, bytes: RandomBytes): string {
  return `${prefix}_${hexOf(bytes(ID_BYTES))}`
}

/** A key of the HTTP interface, `tg_ID_SECRET`, its id, and the hash that is stored. */
export async function mintKey(
  bytes: RandomBytes,
): Promise<{ readonly id: string; readonly key: string; readonly hash: string }> {
  const id = hexOf(bytes(ID_BYTES))
  const key = `tg_${id}_${base64Of(bytes(SECRET_BYTES)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`
  return { id, key, hash: await hashOf(key) }
}

/** The id within the text of a key; undefined for what is no key of ours. */
export function keyId(text: string): string | undefined {
  return /^tg_([0-9a-f]{12})_[\w-]{43}$/.exec(text)?.[1]
}

/** A secret for signatures, in the form of Standard Webhooks. */
export function mintSecret(bytes: RandomBytes): string {
  return `whsec_${base64Of(bytes(SECRET_BYTES))}`
}

/** SHA-256, hex. */
export async function hashOf(text: string): Promise<string> {
  return hexOf(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))))
}

/** Compares every character, so that the time taken says nothing of where two texts of one length differ. */
export function isSame(a: string, b: string): boolean {
  let difference = a.length ^ b.length
  for (let i = 0; i < Math.max(a.length, b.length); i++) difference |= (a.charCodeAt(i) || 0) ^ (b.charCodeAt(i) || 0)
  return difference === 0
}

function hexOf(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

function base64Of(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
}
