import { TidegateError } from '@tidegate/core'
import type { Clock } from './clock.ts'
import { lengthMs, RULES } from './pacing/rules.ts'

/** As long as pacing would hold an identical request back. */
const IDENTICAL_MS = lengthMs(RULES.identical)

interface Shared<T> {
  readonly answer: Promise<T>
  readonly abort: AbortController
  callers: number
  size: number
  /** Calls off the timer that would forget it: a timer holds the answer as long as it runs. */
  stopTimer(): void
}

/** One answer for identical requests: while one is under way and for 15 seconds and a margin from when it was asked. */
export interface Sharing<T> {
  /** The answer for `key`: a running or recent one, or what `ask` gives. The last caller to hang up aborts what is under way. */
  share(key: string, signal: AbortSignal | undefined, ask: (signal: AbortSignal) => Promise<T>): Promise<T>
  /** Forgets every answer it keeps. */
  clear(): void
}

/** Sharing that keeps answers of `maxSize` in all (by `sizeOf`), dropping the oldest beyond that. A failure is not kept. */
export function createSharing<T>(
  clock: Clock,
  { maxSize, sizeOf }: { maxSize: number; sizeOf: (answer: T) => number },
): Sharing<T> {
  const entries = new Map<string, Shared<T>>()
  let kept = 0

  function drop(key: string, entry: Shared<T>): void {
    if (entries.get(key) !== entry) return
    entries.delete(key)
    entry.stopTimer()
    kept -= entry.size
  }

  function begin(key: string, ask: (signal: AbortSignal) => Promise<T>): Shared<T> {
    const abort = new AbortController()
    const askedAtMs = clock.now()
    const entry: Shared<T> = { answer: ask(abort.signal), abort, callers: 0, size: 0, stopTimer: () => {} }
    entries.set(key, entry)
    entry.answer.then(
      (answer) => {
        if (entries.get(key) !== entry) return
        entry.size = sizeOf(answer)
        kept += entry.size
        entry.stopTimer = clock.after(Math.max(0, askedAtMs + IDENTICAL_MS - clock.now()), () => drop(key, entry))
        for (const [oldKey, old] of entries) {
          if (kept <= maxSize) break
          if (old.size > 0) drop(oldKey, old)
        }
      },
      () => drop(key, entry),
    )
    return entry
  }

  function share(key: string, signal: AbortSignal | undefined, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (signal?.aborted) return Promise.reject(hungUp())
    const found = entries.get(key)
    // What its last caller has left is being cancelled upstream: it is nobody's answer any more.
    const entry = found && !found.abort.signal.aborted ? found : begin(key, ask)
    entry.callers++
    return new Promise((resolve, reject) => {
      let here = true
      const leave = () => {
        if (!here) return
        here = false
        entry.callers--
        signal?.removeEventListener('abort', hangUp)
      }
      const hangUp = () => {
        leave()
        if (entry.callers === 0) entry.abort.abort()
        reject(hungUp())
      }
      signal?.addEventListener('abort', hangUp, { once: true })
      // Busy is said to the patience of whoever asked first: another asks with its own.
      const failed = (cause: unknown) => {
        const isMine = entry !== found || !(cause instanceof TidegateError) || cause.kind !== 'busy'
        if (isMine || signal?.aborted) reject(cause)
        else share(key, signal, ask).then(resolve, reject)
      }
      entry.answer.then(resolve, failed).finally(leave)
    })
  }

  return {
    clear() {
      for (const [key, entry] of entries) drop(key, entry)
    },
    share,
  }
}

function hungUp(): TidegateError {
  return new TidegateError('disconnected', 'The caller hung up.')
}
