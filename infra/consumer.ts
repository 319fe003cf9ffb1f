import { chunks } from './queue.ts'
import { worker } from './worker.ts'

/** Works the chunks. Few at a time, so that one slow answer of the gateway holds up few others. */
export const consumer = chunks.subscribe(worker, { batch: { size: 5, window: '1 second' } })
