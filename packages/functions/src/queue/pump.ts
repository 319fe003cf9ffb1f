import type { Log } from '@tidegate/ingest'

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
  /** Says that messages could not be worked on. */
  fail(ids: readonly string[]): Promise<void>
  readonly log: Log
  /** Shared by the pumps of one database, so that an outage is told once. */
  readonly outage: Outage
}

/** Whether the database does not answer, as far as has been told. */
export interface Outage {
  isTold: boolean
}

/** Of the rounds in which there was nothing to take, every how manieth asks for more. */
const REFILL_EVERY = 4

type Work = (chunkId: string) => Promise<unknown>
/** Sends what was held back; how much that was. */
type Refill = () => Promise<number>

export interface Pump {
  /** `refill` is called now and then while there is nothing to take. */
  start(work: Work, refill?: Refill): void
  /** Something may have come: look now. */
  wake(): void
  /** Takes nothing more; resolves once what is under way is done and said to be. */
  drain(): Promise<void>
}

/**
 * Keeps a bounded number of messages under way. One loop for all of them: pg-boss' own workers either look each for
 * itself (2 queries a second and worker, forever) or wait for the slowest of a batch, and a chunk can take a minute.
 */
export function createPump({ concurrency, pollMs, take, finish, fail, log, outage }: PumpOptions): Pump {
  const open = new Set<Promise<void>>()
  const told = [
    { ids: [] as string[], tell: finish },
    { ids: [] as string[], tell: fail },
  ] as const
  const [finished, failed] = told
  let draining = false
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

  async function handle({ id, chunkId }: Taken, work: Work): Promise<void> {
    try {
      await work(chunkId)
      finished.ids.push(id)
    } catch (err) {
      // Even the database was gone: the chunk still stands there as it was, and its message comes again.
      log.error({ chunk: chunkId, err }, 'a chunk could not be worked on')
      failed.ids.push(id)
    }
  }

  function begin(taken: Taken, work: Work): void {
    const task = handle(taken, work).then(() => {
      open.delete(task)
      wake()
    })
    open.add(task)
  }

  async function settle(): Promise<void> {
    for (const { ids, tell } of told) {
      if (ids.length === 0) continue
      const now = [...ids]
      await tell(now)
      ids.splice(0, now.length)
    }
  }

  /** One round: how many messages could have been taken beyond those that were. */
  async function round(work: Work): Promise<number> {
    await settle()
    const free = concurrency - open.size
    if (free === 0) return 0
    const taken = await take(free)
    for (const message of taken) begin(message, work)
    return free - taken.length
  }

  async function run(work: Work, refill: Refill): Promise<void> {
    let idle = 0
    while (!draining) {
      // Where database and bridge are in this process, thousands of messages could go by without a turn of the event loop.
      await new Promise(setImmediate)
      try {
        const spare = await round(work)
        if (spare > 0 && !draining && idle++ % REFILL_EVERY === 0 && (await refill()) > 0) idle = 0
        if (outage.isTold) log.info({}, 'the queue answers again')
        outage.isTold = false
        if (!draining) await pause(spare > 0 ? pollMs : undefined)
      } catch (err) {
        if (!outage.isTold) log.warn({ err }, 'the queue does not answer; it is asked again and again')
        outage.isTold = true
        if (!draining) await pause(pollMs)
      }
    }
    await Promise.all(open)
    try {
      await settle()
    } catch (err) {
      log.warn(
        { err, messages: finished.ids.length + failed.ids.length },
        'done, and not said to be: these messages come again, which is harmless',
      )
    }
  }

  return {
    start(work, refill = async () => 0) {
      loop ??= run(work, refill)
    },
    wake,
    async drain() {
      draining = true
      wake()
      await loop
    },
  }
}
