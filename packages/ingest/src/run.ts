import type { Priority } from '@tidegate/core'
import type { Cut } from './cutting.ts'
import { deliver } from './dispatch.ts'
import type { IngestOptions } from './types.ts'

export interface RunOptions extends Cut {
  /** What opens it: `fetch`, `tick`, `hook`, … */
  readonly source: string
  /** The dataset it is for; absent for one by hand. */
  readonly dataset?: string
  /** The adjustment that it collects again. */
  readonly adjustmentId?: number
  readonly priority: Priority
  /** Its id, where it must be this one: opened twice, it is one run. Default: a fresh one. */
  readonly id?: string | undefined
}

/** Opens a run with its chunks and hands them to the queue. One without chunks is closed at once. */
export async function openRun(
  { chunks, remaining, id, ...run }: RunOptions,
  options: IngestOptions,
): Promise<{ readonly runId: string; readonly chunks: number; readonly remaining: number }> {
  const { store, now, newId, log } = options
  const nowSec = Math.floor(now() / 1000)
  const runId = id ?? newId()
  const { chunkIds } = await store.createRun({ ...run, id: runId, chunks, now: nowSec })
  if (chunkIds.length === 0) await store.closeRuns(nowSec)
  await deliver(options)
  const { source, dataset } = run
  log.info({ run: runId, source, dataset, chunks: chunkIds.length, remaining }, 'run opened')
  return { runId, chunks: chunkIds.length, remaining }
}
