import type { Clock } from '@tidegate/bridge'

export interface FakeClock extends Clock {
  /** Moves time on, calling what falls due in its order; what that sets going on the event loop has gone before the next. */
  advance(ms: number): Promise<void>
  /** The same, for what needs no more than promises to go on. */
  advanceQuickly(ms: number): Promise<void>
  /** Sets it, forwards or back; timers stay as far away as they were. */
  set(ms: number): void
  /** Timers that wait. */
  readonly pending: number
}

/** A clock that stands still until it is moved. */
export function createFakeClock(startMs = Date.UTC(2026, 3, 8, 18)): FakeClock {
  const timers = new Map<number, { atMs: number; run: () => void }>()
  let nowMs = startMs
  let nextId = 0
  return {
    now: () => nowMs,
    after(ms, run) {
      const id = nextId++
      timers.set(id, { atMs: nowMs + ms, run })
      return () => void timers.delete(id)
    },
    get pending() {
      return timers.size
    },
    advance: (ms) => move(ms, () => settled()),
    advanceQuickly: (ms) => move(ms, () => new Promise(setImmediate)),
    set(ms) {
      for (const timer of timers.values()) timer.atMs += ms - nowMs
      nowMs = ms
    },
  }

  async function move(ms: number, settle: () => Promise<unknown>): Promise<void> {
    const untilMs = nowMs + ms
    for (;;) {
      await settle()
      const due = [...timers].filter(([, timer]) => timer.atMs <= untilMs).sort(([, a], [, b]) => a.atMs - b.atMs)[0]
      if (!due) break
      timers.delete(due[0])
      nowMs = Math.max(nowMs, due[1].atMs)
      due[1].run()
    }
    nowMs = untilMs
    await settle()
  }
}

/** Resolves when what waits for its turn on the event loop has had some: a chain of promises and sockets takes several. */
export async function settled(turns = 4): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setTimeout(resolve, 0))
}
