import type { Log, WorkResult } from '@tidegate/ingest'

export interface Taken {
  readonly id: string
  readonly chunkId: string
}

export interface PumpOptions {
  /** Messages worked on at once. */
  readonly concurrency: number
  /** How long to wait before an empty queue, or one that failed, is looked at again. */
  readonly pollMs: number
  /** Takes up to `most` messages that are due. */
  take(most: number): Promise<readonly Taken[]>
  /** Says that messages were worked on. */
  finish(ids: readonly string[]): Promise<void>
  readonly log: Log
}

export interface Pump {
  start(work: (chunkId: string) => Promise<WorkResult>): void
  /** Something may have come: look now. */
  wake(): void
  /** Takes nothing more; resolves once what is under way is done and said to be. */
  drain(): Promise<void>
}

/**
 * Keeps a bounded number of messages under way. One loop for all of them: pg-boss' own workers either look each for
 * itself (2 queries a second and worker, forever) or wait for the slowest of a batch, and a chunk can take a minute.
 */
export function createPump({ concurrency, pollMs, take, finish, log }: PumpOptions): Pump {
  const open = new Set<Promise<void>>()
  let finished: string[] = []
  let draining = false
  let failing = false
  let loop: Promise<void> | undefined
  let signal = Promise.withResolvers<void>()

  function wake(): void {
    signal.resolve()
  }

  /** Waits for a wake, or for `ms`. */
  async function pause(ms: number | undefined): Promise<void> {
    const timer = ms === undefined ? undefined : setTimeout(wake, ms)
    await signal.promise
    clearTimeout(timer)
    signal = Promise.withResolvers()
  }

  async function handle({ id, chunkId }: Taken, work: (chunkId: string) => Promise<WorkResult>): Promise<void> {
    try {
      await work(chunkId)
    } catch (err) {
      // Even the database was gone: the chunk still stands there as it was, and the sweep sends it again.
      log.error({ chunk: chunkId, err }, 'a chunk could not be worked on')
    }
    finished.push(id)
  }

  function begin(taken: Taken, work: (chunkId: string) => Promise<WorkResult>): void {
    const task = handle(taken, work).then(() => {
      open.delete(task)
      wake()
    })
    open.add(task)
  }

  async function settle(): Promise<void> {
    const ids = finished
    if (ids.length === 0) return
    finished = []
    try {
      await finish(ids)
    } catch (error) {
      finished = [...ids, ...finished]
      throw error
    }
  }

  /** One round: how many messages could have been taken beyond those that were. */
  async function round(work: (chunkId: string) => Promise<WorkResult>): Promise<number> {
    await settle()
    const free = concurrency - open.size
    if (free === 0) return 0
    const taken = await take(free)
    for (const message of taken) begin(message, work)
    return free - taken.length
  }

  async function run(work: (chunkId: string) => Promise<WorkResult>): Promise<void> {
    while (!draining) {
      try {
        const spare = await round(work)
        if (failing) log.info({}, 'the queue answers again')
        failing = false
        if (!draining) await pause(spare > 0 ? pollMs : undefined)
      } catch (err) {
        if (!failing) log.warn({ err }, 'the queue does not answer; it is asked again and again')
        failing = true
        if (!draining) await pause(pollMs)
      }
    }
    await Promise.all(open)
    try {
      await settle()
    } catch (err) {
      log.warn(
        { err, messages: finished.length },
        'done, and not said to be: these messages come again, which is harmless',
      )
    }
  }

  return {
    start(work) {
      loop ??= run(work)
    },
    wake,
    async drain() {
      draining = true
      wake()
      await loop
    },
  }
}
