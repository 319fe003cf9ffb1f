import { chunks, failed } from './queue.ts'
import { worker } from './worker.ts'

/** Works the chunks. Few at a time, so that one slow answer of the gateway holds up few others. */
export const consumer = chunks.subscribe(worker, { batch: { size: 5, window: '1 second' } })

/** Says of chunks whose messages died that they have failed: each is shown with its run, and its window is a gap again. */
export const burial = failed.subscribe(worker, { batch: { size: 10, window: '5 seconds' } })
