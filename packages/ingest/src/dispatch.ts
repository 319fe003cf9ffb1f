import type { IngestOptions } from './types.ts'

const BATCH = 500
/** A message on its way is given this long before its chunk is sent again. */
const GRACE_SEC = 120

/** Delivers the outbox: chunks that were opened go to the queue, runs whose chunks have settled are closed. */
export async function deliver({ store, queue, now }: IngestOptions): Promise<{ sent: number; closed: number }> {
  let sent = 0
  let settled = false
  for (;;) {
    const entries = await store.outbox(BATCH)
    if (entries.length === 0) break
    const queued = entries.filter((entry) => entry.kind === 'chunk-queued').map((entry) => entry.chunkId)
    if (queued.length > 0) await queue.send(queued)
    settled ||= queued.length < entries.length
    await store.delivered(
      entries.map((entry) => entry.id),
      Math.floor(now() / 1000),
    )
    sent += queued.length
  }
  const closed = settled ? await store.closeRuns(Math.floor(now() / 1000)) : []
  return { sent, closed: closed.length }
}

/** Sends again what was due a while ago and still is: a message was lost, or its worker died. */
export async function resend({ store, queue, now }: IngestOptions): Promise<number> {
  const overdue = await store.due(Math.floor(now() / 1000), BATCH, GRACE_SEC)
  if (overdue.length > 0) await queue.send(overdue)
  return overdue.length
}
