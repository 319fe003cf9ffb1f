import type { ErrorKind } from '@tidegate/core'
import type { IngestOptions } from './types.ts'
import { urgencyOf } from './urgency.ts'

const BATCH = 500
/** A message on its way is given this long before its chunk is sent again. */
const GRACE_SEC = 120
/** Nobody waits for this: a bridge that takes longer is asked again at the next sweep. */
const STATUS_TIMEOUT_MS = 5000
/** What was delivered is kept for a day, for whoever wants to look. */
const KEPT_SEC = 86_400
const FORGOTTEN_AT_ONCE = 10_000
/** Runs are the history that `runs` shows. By the minute they would soon be more than the bars they brought. */
const RUNS_KEPT_SEC = 30 * 86_400

/**
 * Delivers the outbox: chunks that were opened go to the queue, as many as may be with it, and runs whose chunks have settled
 * are closed. Cheap where there is nothing to deliver: one query.
 */
export async function deliver({
  store,
  queue,
  now,
  mostWithQueue,
}: IngestOptions): Promise<{ sent: number; closed: number }> {
  let sent = 0
  let settled = false
  for (;;) {
    const entries = await store.outbox(BATCH, mostWithQueue)
    if (entries.length === 0) break
    const queued = entries.flatMap(({ chunkId, open }) =>
      open ? [{ chunkId, urgency: urgencyOf(open.priority, open.place) }] : [],
    )
    for (const urgency of new Set(queued.map((one) => one.urgency))) {
      const ids = queued.filter((one) => one.urgency === urgency).map(({ chunkId }) => chunkId)
      await queue.send(ids, 0, urgency)
    }
    settled ||= entries.some(({ kind }) => kind === 'chunk-settled')
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
  if (overdue.length > 0) await queue.send(overdue, 0, urgencyOf('scheduled'))
  return overdue.length
}

/** What another session at the login is answered with: the bridge says when it may be tried again. */
const COMPETING: readonly ErrorKind[] = ['competing-session']
/** What everything is answered with while the gateway can't be asked. */
const AWAY: readonly ErrorKind[] = [...COMPETING, 'disconnected', 'farm-down']

/**
 * What waits for the gateway goes round again as soon as the bridge says that it can be asked: chunks that were parked until
 * somebody logs in, and those that have a while to wait because another session had the login, or because it was seen to be
 * out of reach. (Failures of a gateway that was never seen so are its answer to them, and wait out their time.) A bridge
 * that does not answer, or a database that does not take it now, is asked again by the next sweep.
 */
export async function resume(options: IngestOptions): Promise<void> {
  const { store, relay, now, log, timeout = (ms) => AbortSignal.timeout(ms) } = options
  const nowSec = Math.floor(now() / 1000)
  if (!(await store.isAnyHeld(AWAY, nowSec))) return
  try {
    const status = await relay.status(timeout(STATUS_TIMEOUT_MS)).catch((err: unknown) => {
      log.warn({ err }, 'chunks wait for the gateway, and whether it can be asked is not known now')
      return undefined
    })
    if (status?.gateway.state !== 'ready') await store.noteAway(nowSec)
    if (!status) return
    const { phase, state } = status.gateway
    const isLoggedIn = phase === 'ready' || phase === 'degraded'
    const resumed = isLoggedIn ? await store.resume(nowSec, BATCH) : 0
    if (resumed > 0) log.info({ chunks: resumed }, 'somebody has logged in: what waited for that goes round again')
    if (!isLoggedIn || state !== 'ready') return
    const hastened = await store.hasten((await store.clearAway()) ? AWAY : COMPETING, nowSec)
    if (hastened > 0) log.info({ chunks: hastened }, 'the gateway can be asked: what waited for that goes round again')
  } catch (err) {
    log.warn({ err }, 'chunks that wait for the gateway could not be let go: the next sweep tries again')
  }
}

/** Deletes what was delivered a day ago, and runs that ended a month ago with their chunks. */
export async function forget({ store, now }: IngestOptions): Promise<void> {
  const nowSec = Math.floor(now() / 1000)
  await store.forgetDelivered(nowSec - KEPT_SEC, FORGOTTEN_AT_ONCE)
  await store.forgetRuns(nowSec - RUNS_KEPT_SEC, FORGOTTEN_AT_ONCE)
}
