import { Webhook } from 'standardwebhooks'
import { isSame } from './mint.ts'

/** How far a call's timestamp may be from our clock, either way, seconds: what Standard Webhooks' own library takes. */
const TOLERANCE_SEC = 300

export interface Signed {
  readonly id: string
  readonly timestamp: string
  readonly signature: string
  /** As it came, to the byte. */
  readonly body: string
}

/**
 * Whether a call bears a signature that Standard Webhooks makes of it with this secret, and a timestamp of these minutes.
 * The library's own `verify` looks at the machine's clock; this one is told the time. All of it is looked at whatever is
 * wrong, so that the time taken says nothing.
 */
export function isSigned({ id, timestamp, signature, body }: Signed, secret: string, nowSec: number): boolean {
  const sec = /^\d{1,11}$/.test(timestamp) ? Number(timestamp) : 0
  const expected = new Webhook(secret).sign(id, new Date(sec * 1000), body)
  let fits = false
  for (const given of signature.split(' ')) fits = isSame(given, expected) || fits
  return fits && id !== '' && Math.abs(nowSec - sec) <= TOLERANCE_SEC
}
