import type { ClaimedDelivery, DeliveryOutcome } from '@tidegate/db'
import type { IngestOptions, Told } from '../types.ts'
import { tellLogin } from './login.ts'
import { type PostOptions, postDelivery } from './post.ts'

const EVENTS_AT_ONCE = 500
/** Longer than one post may take: while it runs nobody else posts the same. */
const LEASE_SEC = 60
/** No post begins this long after a pass has: the next pass goes on, and what is scheduled beside it is not held up. */
const PASS_MS = 15_000
/** 5 s, 20 s, 80 s … and then every 6 hours: 18 attempts take about three days. */
const BACKOFF = { firstSec: 5, factor: 4, mostSec: 6 * 3600 }
const MOST_ATTEMPTS = 18
const KEPT_SEC = 7 * 86_400
/** A call's timestamp may be five minutes off either way, so its signature is good for ten; then the call can be forgotten. */
const CALLS_KEPT_SEC = 900
const PRUNE_MS = 3_600_000

export interface Telling {
  /** One pass: events become deliveries, and what is due is posted, each webhook in a line of its own. */
  tell(): Promise<Told>
  /** Posts this delivery alone, if it is due and nobody else has it. */
  tellOne(deliveryId: string): Promise<Told>
}

/** Tells webhooks of what happened: at least once, in order while all goes well, and later again where it does not. */
export function createTelling(options: IngestOptions): Telling {
  const { store, now, random, log, webhooks, timeout = (ms) => AbortSignal.timeout(ms) } = options
  const nowSec = () => Math.floor(now() / 1000)
  let prunedAtMs = Number.NEGATIVE_INFINITY

  async function attempt(claim: ClaimedDelivery, how: PostOptions): Promise<boolean> {
    const posted = await postDelivery(claim, how)
    const outcome: DeliveryOutcome = posted.taken ? { state: 'delivered' } : missed(claim.attempt, posted)
    await store.settleDelivery(claim, outcome, nowSec())
    const about = { delivery: claim.id, webhook: claim.webhookId, attempt: claim.attempt, state: outcome.state }
    if (posted.taken) log.info(about, 'a webhook was told')
    else log.warn({ ...about, reason: posted.error }, 'a webhook could not be told')
    return posted.taken
  }

  function missed(attempts: number, { gone, error }: { gone: boolean; error: string }): DeliveryOutcome {
    if (gone) return { state: 'gone', error }
    if (attempts >= MOST_ATTEMPTS) return { state: 'given-up', error }
    return { state: 'waiting', notBefore: nowSec() + retrySec(attempts, random), error }
  }

  /** What is due for one webhook, one after the other, until something fails: then it has a rest, and no other waits for it. */
  async function line(webhookId: string, how: PostOptions, until: number): Promise<Told> {
    let delivered = 0
    while (now() < until) {
      const claim = await store.claimDelivery({ webhookId }, { now: nowSec(), leaseSec: LEASE_SEC })
      if (!claim) break
      if (!(await attempt(claim, how))) return { delivered, failed: 1 }
      delivered++
    }
    return { delivered, failed: 0 }
  }

  async function prune(): Promise<void> {
    if (now() - prunedAtMs < PRUNE_MS) return
    await store.pruneDeliveries(nowSec() - KEPT_SEC)
    await store.pruneCalls(nowSec() - CALLS_KEPT_SEC)
    prunedAtMs = now()
  }

  return {
    async tell() {
      if (!webhooks) return { delivered: 0, failed: 0 }
      const until = now() + PASS_MS
      await tellLogin(options, timeout)
      while ((await store.spreadEvents(nowSec(), EVENTS_AT_ONCE)) === EVENTS_AT_ONCE);
      const due = await store.dueWebhooks(nowSec())
      // One that a database's failure ends must not end before the others have.
      const lines = await Promise.allSettled(due.map((id) => line(id, { ...webhooks, now, timeout }, until)))
      await prune()
      return lines.reduce(
        (sum, one) => {
          if (one.status === 'rejected') throw one.reason
          return { delivered: sum.delivered + one.value.delivered, failed: sum.failed + one.value.failed }
        },
        { delivered: 0, failed: 0 },
      )
    },

    async tellOne(deliveryId) {
      const claim = webhooks && (await store.claimDelivery({ deliveryId }, { now: nowSec(), leaseSec: LEASE_SEC }))
      if (!claim) return { delivered: 0, failed: 0 }
      const taken = await attempt(claim, { ...webhooks, now, timeout })
      return taken ? { delivered: 1, failed: 0 } : { delivered: 0, failed: 1 }
    },
  }
}

/** How long after so many attempts the next one may come, seconds, a fifth more or less, so that not all come at once. */
export function retrySec(attempts: number, random: () => number): number {
  const sec = Math.min(BACKOFF.firstSec * BACKOFF.factor ** (attempts - 1), BACKOFF.mostSec)
  return Math.ceil(sec * (0.8 + 0.4 * random()))
}
