/** Counts what happened within a sliding window, by key. Times are milliseconds and never run backwards. */
export interface Window {
  /** Counts `weight` at this instant; returns what the key has in the window that ends with it, itself included. */
  count(atMs: number, key: string, weight?: number): number
  /** What the key has in the window that ends at this instant. */
  held(atMs: number, key: string): number
}

interface Event {
  readonly atMs: number
  readonly key: string
  readonly weight: number
}

/** Events that are done with are cut off the front in batches: shifting one by one would move the whole array. */
const BATCH = 1024

/** A window of so many milliseconds, half-open: two events exactly that far apart are never in one window. */
export function createWindow(lengthMs: number): Window {
  const sums = new Map<string, number>()
  let events: Event[] = []
  let first = 0

  function forget(atMs: number): void {
    for (let oldest = events[first]; oldest && atMs - oldest.atMs >= lengthMs; oldest = events[++first]) {
      const left = (sums.get(oldest.key) ?? 0) - oldest.weight
      if (left > 0) sums.set(oldest.key, left)
      else sums.delete(oldest.key)
    }
    if (first < BATCH) return
    events = events.slice(first)
    first = 0
  }

  function held(atMs: number, key: string): number {
    forget(atMs)
    return sums.get(key) ?? 0
  }

  return {
    count(atMs, key, weight = 1) {
      const sum = held(atMs, key) + weight
      events.push({ atMs, key, weight })
      sums.set(key, sum)
      return sum
    },
    held,
  }
}
