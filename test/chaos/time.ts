import type { Clock } from '@tidegate/bridge'

/** Time that stands still until it is moved from one timer to the next. */
export interface Time extends Clock {
  /** Moves on to the first timer, at most to `untilMs`, and calls what is due then. False where `untilMs` was reached first. */
  step(untilMs: number): boolean
  sleep(ms: number): Promise<void>
  /** A signal that aborts after `ms` as AbortSignal.timeout's does. */
  timeout(ms: number): AbortSignal
  /** The same time for one process: once it has been killed, no timer of it is called any more. */
  ofProcess(): { readonly clock: Clock; kill(): void }
}

export function createTime(startMs: number): Time {
  const timers = new Map<number, { readonly atMs: number; readonly run: () => void }>()
  let nowMs = startMs
  let ids = 0

  function after(ms: number, run: () => void): () => void {
    const id = ids++
    timers.set(id, { atMs: nowMs + Math.max(0, ms), run })
    return () => void timers.delete(id)
  }

  return {
    now: () => nowMs,
    after,
    step(untilMs) {
      let first: [number, { readonly atMs: number; readonly run: () => void }] | undefined
      for (const one of timers) if (!first || one[1].atMs < first[1].atMs) first = one
      if (!first || first[1].atMs > untilMs) {
        nowMs = untilMs
        return false
      }
      timers.delete(first[0])
      nowMs = Math.max(nowMs, first[1].atMs)
      first[1].run()
      return true
    },
    sleep: (ms) => new Promise((resolve) => void after(ms, resolve)),
    timeout(ms) {
      const ending = new AbortController()
      after(ms, () => ending.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError')))
      return ending.signal
    },
    ofProcess() {
      const own = new Set<() => void>()
      let isDead = false
      return {
        clock: {
          now: () => nowMs,
          after(ms, run) {
            if (isDead) return () => {}
            const cancel = after(ms, () => {
              own.delete(cancel)
              run()
            })
            own.add(cancel)
            return () => {
              own.delete(cancel)
              cancel()
            }
          },
        },
        kill() {
          isDead = true
          for (const cancel of own) cancel()
          own.clear()
        },
      }
    },
  }
}
