import { type Priority, TidegateError } from '@tidegate/core'
import type { Clock } from './clock.ts'
import { lengthMs, RULES } from './pacing/rules.ts'
import { createTurn, type SharedTurn, type Turn, type Wish } from './turn.ts'

/** As long as pacing would hold an identical request back. */
const IDENTICAL_MS = lengthMs(RULES.identical)

interface Shared<T> {
  readonly answer: Promise<T>
  readonly abort: AbortController
  readonly turn: SharedTurn
  readonly callers: Set<Waiting>
  size: number
  isAnswered: boolean
  /** Calls off the timer that would forget it: a timer holds the answer as long as it runs. */
  stopTimer(): void
}

/** A caller that has no answer yet. */
interface Waiting {
  /** What the request has come to in the queue: where his patience is at its end, he leaves. */
  look(): void
}

/** Who asks, and how he may wait. */
export interface Sharer {
  readonly priority: Priority
  /** How long the request may wait to go, milliseconds. */
  readonly waitMs: number
  /** Whether nothing will do that went to the gateway before he asked. Default false. */
  readonly isFresh?: boolean
  /** Aborts when he hangs up. */
  readonly signal?: AbortSignal
}

/** One answer for identical requests: while one is under way and for 15 seconds and a margin from when it was asked. */
export interface Sharing<T> {
  /**
   * The answer for `key`: a running or recent one, or what `ask` gives, which is told the turn of all who wait for it.
   * Who wants a fresh one shares with others only what has not gone yet; that it is not asked again too soon is pacing's affair.
   * One that still waits to go is raised to the higher priority and the longer patience by whoever joins it. A caller
   * whose own patience can't be met is told so at once, for himself alone. The last one to leave aborts what is under way.
   */
  share(key: string, sharer: Sharer, ask: (signal: AbortSignal, turn: Turn) => Promise<T>): Promise<T>
  /** Forgets every answer that has come; what is under way goes on. */
  forget(): void
  /** Forgets everything. */
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

  function begin(key: string, wish: Wish, ask: (signal: AbortSignal, turn: Turn) => Promise<T>): Shared<T> {
    const abort = new AbortController()
    const askedAtMs = clock.now()
    const callers = new Set<Waiting>()
    const turn = createTurn(wish, () => {
      for (const one of [...callers]) one.look()
    })
    const answer = ask(abort.signal, turn)
    const entry: Shared<T> = { answer, abort, turn, callers, size: 0, isAnswered: false, stopTimer: () => {} }
    entries.set(key, entry)
    entry.answer.then(
      (answer) => {
        if (entries.get(key) !== entry) return
        entry.isAnswered = true
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

  function share(key: string, sharer: Sharer, ask: (signal: AbortSignal, turn: Turn) => Promise<T>): Promise<T> {
    const { priority, waitMs, isFresh = false, signal } = sharer
    if (signal?.aborted) return Promise.reject(hungUp())
    const wish = { priority, untilMs: clock.now() + waitMs }
    const found = entries.get(key)
    // What its last caller has left is being cancelled upstream: it is nobody's answer any more.
    const isAlive = found !== undefined && !found.abort.signal.aborted
    // In the queue, or in it again: its answer is of after now.
    const isJoined = isAlive && (!isFresh || found.turn.place !== undefined)
    if (found?.isAnswered && !isJoined) drop(key, found)
    const entry = isJoined ? found : begin(key, wish, ask)
    return new Promise((resolve, reject) => {
      const leave = () => {
        if (!entry.callers.delete(self)) return
        stopPatience()
        signal?.removeEventListener('abort', hangUp)
      }
      const end = (error: unknown) => {
        leave()
        if (entry.callers.size === 0) entry.abort.abort()
        reject(error)
      }
      const hangUp = () => end(hungUp())
      /** Where others are more patient, it goes on waiting without him. */
      const refuse = async () => {
        const leftMs = Math.max(0, wish.untilMs - clock.now())
        const error = await entry.turn.place?.refusal(leftMs, waitMs)
        if (error && entry.callers.has(self)) end(error)
      }
      const look = () => {
        if (wish.untilMs <= clock.now() && wish.untilMs < entry.turn.untilMs) refuse().catch(end)
      }
      const self: Waiting = { look }
      const stopPatience = clock.after(waitMs, look)
      entry.callers.add(self)
      signal?.addEventListener('abort', hangUp, { once: true })
      // Busy is said to the patience of whoever asked first: another asks with its own.
      const failed = (cause: unknown) => {
        const isMine = !isJoined || !(cause instanceof TidegateError) || cause.kind !== 'busy'
        if (isMine || signal?.aborted) reject(cause)
        else share(key, { ...sharer, waitMs: Math.max(0, wish.untilMs - clock.now()) }, ask).then(resolve, reject)
      }
      entry.answer.then(resolve, failed).finally(leave)
      if (!isJoined) return
      entry.turn.raise(wish)
      refuse().catch(end)
    })
  }

  return {
    forget() {
      for (const [key, entry] of entries) if (entry.isAnswered) drop(key, entry)
    },
    clear() {
      for (const [key, entry] of entries) drop(key, entry)
    },
    share,
  }
}

function hungUp(): TidegateError {
  return new TidegateError('disconnected', 'The caller hung up.')
}
