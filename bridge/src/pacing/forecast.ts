import type { Ledger } from './ledger.ts'
import { createPass } from './pass.ts'
import type { Queue, Waiter } from './queue.ts'

/** The windows and who waits before them, at one instant. */
export interface Outlook<W extends Waiter> {
  readonly queue: Queue<W>
  readonly ledger: Ledger
  /** Epoch milliseconds. */
  readonly nowMs: number
}

/**
 * How long, in milliseconds, until this waiter of the queue goes, if nobody else comes, a place is always free and all are ready.
 * The queue and the ledger are left as they are.
 */
export function forecast<W extends Waiter>(outlook: Outlook<W>, waiter: W): number {
  return play(outlook, waiter, Infinity) - outlook.nowMs
}

/**
 * The time after which one like this waiter, which is in the queue no more, is let go within `waitMs` of asking again,
 * if nobody else has come by then; milliseconds.
 */
export function retryAfter<W extends Waiter>(outlook: Outlook<W>, waiter: W, waitMs: number): number {
  const { nowMs } = outlook
  // Those behind it in rank go on while it is away: an early return is only promised where they leave it its turn.
  const earlyMs = Math.max(0, play(outlook, waiter, nowMs) - waitMs - nowMs)
  if (play(outlook, waiter, nowMs + earlyMs) - (nowMs + earlyMs) <= waitMs) return earlyMs
  return play(outlook, waiter, 'last') - nowMs
}

/** When `waiter` goes, where it comes at `comesAt`: Infinity where it is there already, `last` when all others have gone. */
function play<W extends Waiter>(outlook: Outlook<W>, waiter: W, comesAt: number | 'last'): number {
  const queue = outlook.queue.copy()
  const ledger = outlook.ledger.copy()
  let expected = comesAt !== Infinity
  for (let atMs = outlook.nowMs; ; ) {
    const pass = createPass({ asksReady: false })
    for (let next = queue.next(pass); next; next = queue.next(pass)) {
      const refusal = ledger.refusal(next.charge, atMs)
      if (refusal) pass.refused(next, refusal)
      else {
        queue.take(next)
        ledger.record(next.charge, atMs)
        if (next === waiter) return atMs
      }
    }
    // Whoever comes at this very instant comes behind those that went in it.
    if (expected && (comesAt === 'last' ? queue.size === 0 : atMs >= comesAt)) {
      expected = false
      queue.add(waiter)
    } else atMs = Math.min(atMs + Math.max(1, pass.wakeMs), expected && comesAt !== 'last' ? comesAt : Infinity)
    if (atMs === Infinity) return atMs
  }
}
