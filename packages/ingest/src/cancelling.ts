import { TidegateError } from '@tidegate/core'
import type { RunState } from '@tidegate/db'
import type { IngestOptions } from './types.ts'
import type { Underway } from './underway.ts'

const DEAD = 'The queue gave up its message: whoever took it ended each time without saying what became of it.'

/** What is not to be worked on any more. */
export interface Cancelling {
  /**
   * Stops a run: nothing of it is asked any more, what is under way in this process is hung up, and its windows are gaps
   * again. One that has ended stays as it is: its state is returned. Throws `not-found` where there is none.
   */
  cancelRun(id: string): Promise<RunState>
  /** Ends a chunk whose message the queue has given up; one that somebody works on all the same is left alone. */
  bury(chunkId: string): Promise<void>
}

export function createCancelling({ store, now, log }: IngestOptions, underway: Underway): Cancelling {
  const nowSec = () => Math.floor(now() / 1000)
  return {
    async cancelRun(id) {
      let stopped = 0
      for (;;) {
        const result = await store.cancelRun(id, nowSec())
        if (!result) throw new TidegateError('not-found', `There is no run "${id.slice(0, 64)}".`)
        underway.stop(id)
        stopped += result.stopped
        // What was halved at the same instant is found the second time.
        if (result.stopped > 0) continue
        if (stopped > 0) log.info({ run: id, chunks: stopped }, 'run cancelled')
        return result.state
      }
    },

    async bury(chunkId) {
      const error = new TidegateError('internal', DEAD)
      const buried = await store.bury(chunkId, error.toJSON(), nowSec())
      if (buried) log.error({ chunk: chunkId, err: error }, 'a chunk has failed: its message was given up')
    },
  }
}
