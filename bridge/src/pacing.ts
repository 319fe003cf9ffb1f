import { type Priority, TidegateError } from '@tidegate/core'
import Bottleneck from 'bottleneck'
import type { Clock } from './clock.ts'
import { createMessageGate, SECOND_MS } from './gate.ts'

/** IBKR allows 50 open historical requests and advises far fewer ("Historical Data Limitations"). */
const MAX_OPEN = 32
/** Bottleneck's own scale, which the message gate shares: lower goes first. Messages that are no request go before all. */
const ORDER: Record<Priority, number> = { interactive: 1, scheduled: 4, backfill: 7 }

export interface PacedJob {
  readonly priority: Priority
  /** How long it may wait to go, milliseconds. */
  readonly waitMs: number
  readonly signal?: AbortSignal
}

/** The only code that decides when a request may go. */
export interface Pacing {
  /**
   * Runs `ask`, which sends one message at once, when the rules allow it; its place is free again when `ask` has settled.
   * Throws `busy` when that is not within the job's `waitMs`: at once where it is known beforehand. Its `retryAfterMs`
   * is when the message rate allows it, and no less than a second where open requests have to end first.
   * Throws `disconnected` when the signal aborts before it went.
   */
  run<T>(job: PacedJob, ask: () => Promise<T>): Promise<T>
  /** Waits until one more message that is no request (handshake, cancel, probe) may leave, and counts it. */
  message(): Promise<void>
  stats(): { open: number; maxOpen: number; queued: number; messagesInLastSecond: number; maxMessagesPerSecond: number }
}

/** Pacing for one login: at most `messagesPerSec` messages in any second, at most `maxOpen` requests open. */
export function createPacing({
  clock,
  messagesPerSec,
  maxOpen = MAX_OPEN,
}: {
  clock: Clock
  messagesPerSec: number
  maxOpen?: number
}): Pacing {
  const limiter = new Bottleneck({ maxConcurrent: maxOpen })
  const gate = createMessageGate(clock, messagesPerSec)
  const waiting = { interactive: 0, scheduled: 0, backfill: 0 }
  let open = 0

  const queued = () => waiting.interactive + waiting.scheduled + waiting.backfill

  /** The least that a job of this priority has to wait, milliseconds; more where every place is taken. */
  function leastMs(priority: Priority): { ms: number; full: boolean } {
    const before = (Object.keys(ORDER) as Priority[]).filter((other) => ORDER[other] <= ORDER[priority])
    const ahead = before.reduce((sum, other) => sum + waiting[other], 0)
    return { ms: gate.waitMs(ahead), full: open + queued() >= maxOpen }
  }

  function admit<T>(job: PacedJob, ask: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      let here = true
      const leave = () => {
        here = false
        waiting[job.priority]--
        stopPatience()
        job.signal?.removeEventListener('abort', onAbort)
      }
      const refuse = (error: TidegateError) => {
        leave()
        reject(error)
      }
      const onAbort = () => refuse(new TidegateError('disconnected', 'The caller hung up before its request went out.'))
      // Without patience it was let in only because it can go in this very turn.
      const stopPatience =
        job.waitMs > 0
          ? clock.after(job.waitMs, () => refuse(busy(job.waitMs, Math.max(leastMs(job.priority).ms, SECOND_MS))))
          : () => {}
      waiting[job.priority]++
      job.signal?.addEventListener('abort', onAbort, { once: true })
      const go = async () => {
        // Whoever left while queued takes neither the place nor a message.
        if (!here || !(await gate.pass(ORDER[job.priority], () => here))) return
        leave()
        open++
        await ask()
          .then(resolve, reject)
          .finally(() => open--)
      }
      limiter.schedule({ priority: ORDER[job.priority] }, go).catch(reject)
    })
  }

  return {
    message: async () => {
      await gate.pass()
    },
    async run<T>(job: PacedJob, ask: () => Promise<T>): Promise<T> {
      if (job.signal?.aborted) throw new TidegateError('disconnected', 'The caller hung up.')
      const { ms, full } = leastMs(job.priority)
      if (ms > job.waitMs || (full && job.waitMs === 0)) throw busy(job.waitMs, full ? Math.max(ms, SECOND_MS) : ms)
      return admit(job, ask)
    },
    stats() {
      return {
        open,
        maxOpen,
        queued: queued(),
        messagesInLastSecond: gate.inLastSecond(),
        maxMessagesPerSecond: messagesPerSec,
      }
    },
  }
}

function busy(waitMs: number, retryAfterMs: number): TidegateError {
  return new TidegateError(
    'busy',
    `Pacing can't let the request go within ${waitMs} ms: ask again in ${retryAfterMs} ms.`,
    { retryAfterMs },
  )
}
