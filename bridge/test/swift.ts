import type { Clock } from '@tidegate/bridge'

export interface SwiftClock extends Clock {
  /** Moves time on until then, or until nothing waits: calls what falls due in its order, and lets promises go on between. */
  runUntil(ms: number): Promise<void>
  readonly pending: number
}

interface Timer {
  readonly atMs: number
  readonly order: number
  run: (() => void) | undefined
}

/** Promises that follow from one another in one step of what is tested, at most. */
const TURNS = 24

/** A clock for simulated days: it needs nothing but promises between two timers, and takes microseconds for each. */
export function createSwiftClock(startMs = Date.UTC(2026, 3, 8)): SwiftClock {
  const heap: Timer[] = []
  let nowMs = startMs
  let count = 0
  let pending = 0

  const before = (a: Timer | undefined, b: Timer | undefined) =>
    a !== undefined && b !== undefined && (a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order))

  function swap(i: number, j: number): void {
    const [a, b] = [heap[i], heap[j]]
    if (a && b) {
      heap[i] = b
      heap[j] = a
    }
  }

  function push(timer: Timer): void {
    heap.push(timer)
    for (let i = heap.length - 1; i > 0; ) {
      const parent = (i - 1) >> 1
      if (!before(heap[i], heap[parent])) break
      swap(i, parent)
      i = parent
    }
  }

  function pop(): void {
    const last = heap.pop()
    if (!last || heap.length === 0) return
    heap[0] = last
    for (let i = 0; ; ) {
      const [left, right] = [2 * i + 1, 2 * i + 2]
      const least = before(heap[right], heap[left]) ? right : left
      if (!before(heap[least], heap[i])) break
      swap(i, least)
      i = least
    }
  }

  return {
    now: () => nowMs,
    after(ms, run) {
      const timer: Timer = { atMs: nowMs + Math.ceil(ms), order: count++, run }
      push(timer)
      pending++
      return () => {
        if (timer.run) pending--
        timer.run = undefined
      }
    },
    get pending() {
      return pending
    },
    async runUntil(untilMs) {
      for (let turn = 0; turn < TURNS; turn++) await undefined
      for (let next = heap[0]; next && next.atMs <= untilMs; next = heap[0]) {
        pop()
        const { run } = next
        if (!run) continue
        next.run = undefined
        pending--
        nowMs = Math.max(nowMs, next.atMs)
        run()
        for (let turn = 0; turn < TURNS; turn++) await undefined
      }
      nowMs = Math.max(nowMs, untilMs)
    },
  }
}
