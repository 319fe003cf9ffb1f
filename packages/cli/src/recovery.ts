import type { Store } from '@tidegate/db'

const MOST = 100_000
/** Longer than any lease a worker takes: seen from then, every lease has run out. */
const LEASES_OVER_SEC = 600
/** What has been due for so long is sent round by the next sweep. */
const OVERDUE_SEC = 600
const REASON = { kind: 'disconnected', message: 'The process that worked on it ended.' } as const

/**
 * Puts back the chunks that a killed process still holds a lease on, so that nobody waits for it to run out.
 * Only for a caller that is alone with the database. Returns how many there were.
 */
export async function recover(store: Pick<Store, 'due' | 'claim' | 'requeue'>, now: () => number): Promise<number> {
  const nowSec = Math.floor(now() / 1000)
  const laterSec = nowSec + LEASES_OVER_SEC
  const waiting = new Set(await store.due(nowSec, MOST))
  let recovered = 0
  for (const chunkId of await store.due(laterSec, MOST)) {
    if (waiting.has(chunkId)) continue
    const claim = await store.claim(chunkId, { now: laterSec, leaseSec: 0 })
    if (claim && (await store.requeue(claim, REASON, nowSec - OVERDUE_SEC))) recovered++
  }
  return recovered
}
