import type { Store } from '@tidegate/db'
import type { Log, WorkResult } from '@tidegate/ingest'

/** Chunks settle many a second; their runs are looked at this long after the first of them. */
const WAIT_MS = 200

export interface Closing {
  /** Takes note of what became of a chunk. */
  note(result: WorkResult): void
  /** Looks now, if anything has settled since the last look; never throws. */
  look(): Promise<void>
}

interface ClosingOptions {
  readonly store: Pick<Store, 'closeRuns'>
  /** Epoch milliseconds. */
  readonly now: () => number
  readonly log: Log
}

/** Closes the runs whose chunks have all settled. Never throws: what it could not do, the next sweep does. */
export async function closeRuns({ store, now, log }: ClosingOptions): Promise<void> {
  try {
    await store.closeRuns(Math.floor(now() / 1000))
  } catch (err) {
    log.warn({ err }, 'ended runs could not be closed; the next sweep does it')
  }
}

/** Closes runs soon after their last chunk has settled: who waits for one should not wait for the next minute's sweep. */
export function createClosing(options: ClosingOptions): Closing {
  let timer: ReturnType<typeof setTimeout> | undefined
  let looking: Promise<void> = Promise.resolve()

  function look(): Promise<void> {
    if (timer !== undefined) {
      clearTimeout(timer)
      timer = undefined
      looking = looking.then(() => closeRuns(options))
    }
    return looking
  }

  return {
    note({ outcome }) {
      if (outcome === 'done' || outcome === 'failed' || outcome === 'parked') timer ??= setTimeout(look, WAIT_MS)
    },
    look,
  }
}
