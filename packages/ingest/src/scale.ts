import type { Window } from '@tidegate/core'
import { createNotes, type Notes } from './notes.ts'

const MOST_SERIES = 1000

/**
 * What this process knows of the scale of its series, so that few answers need a request of their own to prove theirs. Prices are
 * told anew from an instant on: an answer is of the scale of what is stored where stored bars, asked for after it came, still
 * come as they are stored.
 */
export interface Scales<T> extends Notes {
  /** Notes that a chunk of this window is worked on from now on. */
  enter(seriesId: number, window: Window): Place
  /**
   * What `probe` finds, begun after this call: at most one of a series is under way, and whoever waits for one shares the next.
   * None is begun as long as a chunk next to this one, or next to that one and so on, has not come so far: it may prove all of
   * them, as `look` says where bars are noted that do, and once more before it is begun. Rejects when the signal aborts.
   */
  prove(seriesId: number, how: Proving<T>): Promise<T>
  /** Runs tasks of one series one after the other: of two that find nothing stored, only one may be the first. */
  alone<R>(seriesId: number, task: () => Promise<R>): Promise<R>
}

/** A chunk that is worked on here. */
export interface Place {
  readonly window: Window
  /** Whether it waits for others to prove its answer. */
  isWaiting: boolean
  /** It is settled, whichever way. */
  leave(): void
}

export interface Proving<T> {
  readonly place: Place
  /** Aborts the wait for what is next to it. */
  readonly patience: AbortSignal
  /** Whether bars that are noted prove the answer by now; it reads nothing, as `look` does. */
  readonly isNoted: () => boolean
  /** What is known by now without asking. */
  readonly look: () => Promise<T | undefined>
  /** `turn` counts the probes of a series: two in a row need not ask the same. */
  readonly probe: (turn: number) => Promise<T>
  /** Aborts when this caller waits no longer; what is under way goes on for the others. */
  readonly signal: AbortSignal
}

interface Scale<T> {
  running: Promise<T> | undefined
  turn: number
  /** The end of the last task that runs alone. */
  last: Promise<unknown>
  readonly places: Set<Place>
  /** How often bars were noted, and chunks settled. */
  notes: number
  settled: number
  /** Of the next that begins to wait, or is settled, or probes. */
  step: PromiseWithResolvers<void>
}

/** `mayCross` is false where one call may not wait for what another has begun: each then proves its own. */
export function createScales<T>({
  now,
  mayCross = true,
}: {
  readonly now: () => number
  readonly mayCross?: boolean | undefined
}): Scales<T> {
  const scales = new Map<number, Scale<T>>()
  const notes = createNotes(now)

  function scaleOf(seriesId: number): Scale<T> {
    const found: Scale<T> = scales.get(seriesId) ?? {
      running: undefined,
      turn: 0,
      last: Promise.resolve(),
      places: new Set(),
      notes: 0,
      settled: 0,
      step: Promise.withResolvers(),
    }
    scales.delete(seriesId)
    scales.set(seriesId, found)
    for (const [id, { running, places }] of scales) {
      if (scales.size <= MOST_SERIES) break
      if (!running && places.size === 0) scales.delete(id)
    }
    return found
  }

  function begin(scale: Scale<T>, probe: Proving<T>['probe']): Promise<T> {
    const running = probe(scale.turn++)
    scale.running = running
    const end = () => {
      if (scale.running === running) scale.running = undefined
    }
    running.then(end, end)
    step(scale)
    return running
  }

  function step(scale: Scale<T>): void {
    scale.step.resolve()
    scale.step = Promise.withResolvers()
  }

  /** Nobody waits until each has seen what is new: it may prove another, and that one the next. */
  function rouse(scale: Scale<T>): void {
    for (const place of scale.places) place.isWaiting = false
    step(scale)
  }

  return {
    ...notes,

    enter(seriesId, window) {
      const scale = scaleOf(seriesId)
      const place: Place = {
        window,
        isWaiting: false,
        leave() {
          scale.places.delete(place)
          scale.settled++
          rouse(scale)
        },
      }
      scale.places.add(place)
      return place
    },

    async prove(seriesId, { place, patience, isNoted, look, probe, signal }) {
      const scale = scaleOf(seriesId)
      if (!mayCross) return probe(scale.turn++)
      const earlier = scale.running
      const over = ended(patience)
      let seen = { noted: -1, settled: -1 }
      try {
        for (;;) {
          const { running, notes: noted, settled } = scale
          const isHopeful = !patience.aborted && rowOf(place, scale.places).some(({ isWaiting }) => !isWaiting)
          // What is stored is read where notes say that it is worth it, and before a request.
          if ((noted !== seen.noted && isNoted()) || (!isHopeful && settled !== seen.settled)) {
            seen = { noted, settled }
            place.isWaiting = false
            const found = await look()
            if (found !== undefined) return found
            continue
          }
          seen = { ...seen, noted }
          if (!place.isWaiting) {
            place.isWaiting = true
            step(scale)
            continue
          }
          if (!isHopeful && running !== earlier && running) return await until(running, signal)
          if (!isHopeful && !running) {
            // Those next to it wait for what comes of this.
            place.isWaiting = false
            return await until(begin(scale, probe), signal)
          }
          const hopes = isHopeful ? [scale.step.promise, over] : []
          await until(Promise.race([...hopes, ...(running ? [Promise.allSettled([running])] : [])]), signal)
        }
      } finally {
        place.isWaiting = false
        step(scale)
      }
    },

    alone(seriesId, task) {
      if (!mayCross) return task()
      const scale = scaleOf(seriesId)
      const mine = scale.last.then(task, task)
      scale.last = mine
      return mine
    },

    note(seriesId, came, window) {
      notes.note(seriesId, came, window)
      const scale = scaleOf(seriesId)
      scale.notes++
      rouse(scale)
    },
  }
}

/** The chunks that touch this one, those that touch them, and so on. */
function rowOf({ window }: Place, places: Iterable<Place>): Place[] {
  const ordered = [...places].sort((a, b) => a.window.start - b.window.start)
  const row: Place[] = []
  let { start, end } = window
  for (const one of ordered.filter((other) => other.window.start >= window.end)) {
    if (one.window.start !== end) break
    row.push(one)
    end = one.window.end
  }
  for (const one of ordered.filter((other) => other.window.end <= window.start).reverse()) {
    if (one.window.end !== start) break
    row.push(one)
    start = one.window.start
  }
  return row
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** What comes of it, unless the signal aborts first: then its reason. */
function until<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
