import { PRIORITIES, type Priority, type TidegateError } from '@tidegate/core'

/** How urgent a request is to somebody, and how long it may wait. */
export interface Wish {
  readonly priority: Priority
  /** Epoch milliseconds. */
  readonly untilMs: number
}

/** A request's place in the queue, as those who wait for it see it. */
export interface Place {
  /** Its turn has become more urgent, or more patient. */
  raised(): void
  /** What one is told who has `leftMs` of his `waitMs` left; undefined where it goes by then, or has gone. */
  refusal(leftMs: number, waitMs: number): Promise<TidegateError | undefined>
}

/** The wait of one request for all who want it: as urgent as the most urgent of them, as patient as the most patient. */
export interface Turn extends Wish {
  /** It waits in the queue from now on, until what this returns is called. */
  enter(place: Place): () => void
}

export interface SharedTurn extends Turn {
  /** Where it waits; undefined where it has gone, or not come yet. */
  readonly place: Place | undefined
  /** Somebody else wants it too. It stays raised when he leaves: those who are left have their own patience. */
  raise(wish: Wish): void
}

/** A turn that others may join. `onEnter` is called whenever it comes into the queue: again, where it is asked again. */
export function createTurn(first: Wish, onEnter: () => void): SharedTurn {
  let { priority, untilMs } = first
  let place: Place | undefined
  return {
    get priority() {
      return priority
    },
    get untilMs() {
      return untilMs
    },
    get place() {
      return place
    },
    raise(wish) {
      const isMoreUrgent = PRIORITIES.indexOf(wish.priority) < PRIORITIES.indexOf(priority)
      if (!isMoreUrgent && wish.untilMs <= untilMs) return
      if (isMoreUrgent) priority = wish.priority
      untilMs = Math.max(untilMs, wish.untilMs)
      place?.raised()
    },
    enter(entered) {
      place = entered
      onEnter()
      return () => {
        if (place === entered) place = undefined
      }
    },
  }
}
