import { TidegateError } from '@tidegate/core'
import type { ClaimedDelivery } from '@tidegate/db'
import { Webhook } from 'standardwebhooks'
import { checkTarget } from './target.ts'

const TIMEOUT_MS = 10_000
const MOST_CHARACTERS = 300

/** How webhooks are posted. */
export interface WebhookOptions {
  /**
   * Posts a request and gives the answer, following no redirect. On a machine within a network of its own it has to refuse
   * to connect to what `isPublicAddress` does not take, unless that is allowed.
   */
  readonly fetch: (request: Request) => Promise<Response>
  /** Whether addresses in private networks may be posted to. */
  readonly allowPrivate: boolean
}

export interface PostOptions extends WebhookOptions {
  /** Epoch milliseconds. */
  readonly now: () => number
  readonly timeout: (ms: number) => AbortSignal
}

export type Posted =
  | { readonly taken: true }
  /** `gone`: the address says that it will never take anything again. */
  | { readonly taken: false; readonly gone: boolean; readonly error: string }

/**
 * Posts one delivery, signed as Standard Webhooks wants it. Only 2xx takes it; nothing of the answer's body is read.
 * Never throws: what went wrong is the answer, in words that hold nothing of the URL but its host.
 */
export async function postDelivery(claim: ClaimedDelivery, options: PostOptions): Promise<Posted> {
  const { fetch, now, timeout } = options
  const signal = timeout(TIMEOUT_MS)
  try {
    const url = checkTarget(claim.url, options)
    const at = new Date(now())
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'Tidegate',
      'webhook-id': claim.eventId,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': new Webhook(claim.secret).sign(claim.eventId, at, claim.body),
    }
    const request = new Request(url, { method: 'POST', headers, body: claim.body, redirect: 'manual', signal })
    // Of a fetch that did not heed its signal the whole schedule would wait for ever.
    const answer = await Promise.race([fetch(request), ended(signal)])
    await answer.body?.cancel()
    return judge(answer.status)
  } catch (cause) {
    const error = signal.aborted ? `It did not answer within ${TIMEOUT_MS / 1000} s.` : reasonOf(cause)
    return { taken: false, gone: false, error: error.slice(0, MOST_CHARACTERS) }
  }
}

function ended(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

function judge(status: number): Posted {
  if (status >= 200 && status < 300) return { taken: true }
  // What a browser calls an opaque redirect has status 0.
  const redirects = (status >= 300 && status < 400) || status === 0
  const advice = redirects ? ': redirects are not followed, give the address that it leads to' : ''
  return { taken: false, gone: status === 410, error: `It answered ${status}${advice}.` }
}

/** A failed fetch says why in its cause, the innermost one best. */
function reasonOf(error: unknown): string {
  let inner = error
  for (let depth = 0; depth < 4 && inner instanceof Error && !(inner instanceof TidegateError); depth++) {
    if (!(inner.cause instanceof Error)) break
    inner = inner.cause
  }
  if (inner instanceof TidegateError) return inner.message
  const { code, message } = (inner ?? {}) as { code?: unknown; message?: unknown }
  return `It could not be reached: ${typeof code === 'string' ? code : String(message ?? inner)}.`
}
