import { TidegateError } from '@tidegate/core'
import type { Priority } from '@tidegate/relay'
import Bottleneck from 'bottleneck'
import { type Clock, sleep } from './clock.ts'

/** IBKR closes the session after repeated breaches of its message rate, which it counts over any second (error 100). */
const SECOND_MS = 1000
/** IBKR allows 50 open historical requests and advises far fewer ("Historical Data Limitations"). */
export const MAX_OPEN = 32
/** Bottleneck's own scale: lower goes first. */
const ORDER: Record<Priority, number> = { interactive: 1, scheduled: 4, backfill: 7 }

export interface PacedJob {
  readonly priority: Priority
  /** How long it may wait to go, milliseconds. */
  readonly waitMs: number
  readonly signal?: AbortSignal
}

/** The only code that decides when a request may go. */
export interface Pacing {
  /** Runs `ask` when the rules allow it. Throws `busy`, with a true `retryAfterMs`, when that is not within the job's `waitMs`. */
  run<T>(job: PacedJob, ask: () => Promise<T>): Promise<T>
  /** Waits until one more message may leave the socket, and counts it. */
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
  const message = createMessageGate(clock, messagesPerSec)

  return {
    message: message.pass,
    async run(job, ask) {
      const { RECEIVED, QUEUED } = limiter.counts()
      const ahead = (RECEIVED ?? 0) + (QUEUED ?? 0)
      // Even at the full message rate those ahead need this long: who can't wait that long is told at once.
      const leastMs = Math.ceil((ahead / messagesPerSec) * 1000)
      if (leastMs > job.waitMs) throw busy(job.waitMs, leastMs)
      return queued(job, leastMs, ask)
    },
    stats() {
      const { RECEIVED, QUEUED, RUNNING, EXECUTING } = limiter.counts()
      return {
        open: (RUNNING ?? 0) + (EXECUTING ?? 0),
        maxOpen,
        queued: (RECEIVED ?? 0) + (QUEUED ?? 0),
        messagesInLastSecond: message.inLastSecond(),
        maxMessagesPerSecond: messagesPerSec,
      }
    },
  }

  function queued<T>(job: PacedJob, leastMs: number, ask: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let waiting = true
      const leave = (error: TidegateError) => {
        waiting = false
        stopWaiting()
        reject(error)
      }
      const onAbort = () => leave(new TidegateError('disconnected', 'The caller hung up before its request went out.'))
      const cancelPatience = clock.after(job.waitMs, () => leave(busy(job.waitMs, Math.max(leastMs, SECOND_MS))))
      const stopWaiting = () => {
        cancelPatience()
        job.signal?.removeEventListener('abort', onAbort)
      }
      if (job.signal?.aborted) return onAbort()
      job.signal?.addEventListener('abort', onAbort, { once: true })
      const start = async () => {
        // Whoever left while queued frees the place at once.
        if (!waiting) return
        stopWaiting()
        await ask().then(resolve, reject)
      }
      limiter.schedule({ priority: ORDER[job.priority] }, start).catch(reject)
    })
  }
}

function busy(waitMs: number, retryAfterMs: number): TidegateError {
  return new TidegateError(
    'busy',
    `Pacing can't let the request go within ${waitMs} ms: ask again in ${retryAfterMs} ms.`,
    { retryAfterMs },
  )
}

/** A sliding window over sent messages: at no moment do more than `limit` lie within the last second. First come, first served. */
export function createMessageGate(clock: Clock, limit: number): { pass(): Promise<void>; inLastSecond(): number } {
  const sent: number[] = []
  let turn: Promise<void> = Promise.resolve()
  const forget = () => {
    while (sent.length > 0 && (sent[0] ?? 0) <= clock.now() - SECOND_MS) sent.shift()
  }
  const wait = async () => {
    forget()
    while (sent.length >= limit) {
      await sleep(clock, Math.max(1, (sent[0] ?? 0) + SECOND_MS - clock.now()))
      forget()
    }
    sent.push(clock.now())
  }
  return {
    pass() {
      turn = turn.then(wait)
      return turn
    },
    inLastSecond() {
      forget()
      return sent.length
    },
  }
}
