import type { Priority } from '@tidegate/core'

/** Far enough apart for all the steps of one priority to lie between. */
const PRIORITIES: Readonly<Record<Priority, number>> = { interactive: 2000, scheduled: 1000, backfill: 0 }
/** So many chunks of a run share a step: each step is a message of its own to the queue engine. */
const STEP_CHUNKS = 20
const MOST_STEPS = 500
/** What comes again goes after what is asked the first time of a small run, and before most of a large one. */
const AGAIN_STEPS = 10

/**
 * How soon a chunk is worked on before others that wait, as the queue takes it: by its run's priority, and of one priority by its
 * place in its run, so that a run of two chunks is through after a few of one of thousands that was opened before it.
 */
export function urgencyOf(priority: Priority, place?: number): number {
  const steps = place === undefined ? AGAIN_STEPS : Math.min(Math.floor(place / STEP_CHUNKS), MOST_STEPS)
  return PRIORITIES[priority] - steps
}
