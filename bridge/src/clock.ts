/** Time as it is passed in: so that a test can hold it. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number
  /** Calls `run` once after `ms`; what it returns calls that off. */
  after(ms: number, run: () => void): () => void
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: Date.now,
  after(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}

/**
 * The same clock for what is counted in intervals: it tells its time once, and goes on by what has passed since. Whoever
 * sets the machine's clock, forward or back, moves no window by it. `elapsedMs` counts from anywhere and is never set.
 */
export function createSteadyClock({ now, after }: Clock, elapsedMs: () => number = () => performance.now()): Clock {
  const startMs = now() - elapsedMs()
  return { now: () => Math.floor(startMs + elapsedMs()), after }
}

/** Resolves after `ms`, or at once when the signal aborts. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const done = () => {
      cancel()
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const cancel = clock.after(ms, done)
    signal?.addEventListener('abort', done, { once: true })
  })
}
