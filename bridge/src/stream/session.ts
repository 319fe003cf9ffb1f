import { TidegateError, toTidegateError } from '@tidegate/core'
import { type StreamId, streamCallSchema } from '@tidegate/relay'
import { z } from 'zod'
import type { Ask } from '../answering.ts'
import type { Clock } from '../clock.ts'
import type { Drain } from '../drain.ts'
import type { Scope } from '../keys.ts'
import { barChunks } from '../kinds/bars.ts'
import { KINDS } from '../kinds/index.ts'
import { checkedBody, type Kind, type Prepared } from '../kinds/kind.ts'
import type { Metrics } from '../metrics.ts'
import type { Observer, Watch } from '../observer.ts'
import type { Reader } from '../shelf.ts'
import type { Hub } from './hub.ts'
import type { Told } from './keeper.ts'
import { prepareLive } from './live.ts'
import type { Outbox } from './outbox.ts'

/** Requests and subscriptions that one socket may have open. */
const MOST_OPEN = 64
/** A peer that does not read is told to come again after this, for want of a better time. */
const UNREAD_MS = 1000

/** What some calls say beside their id: no more. */
const NOTHING = z.strictObject({})
const BY_OP: ReadonlyMap<string, Kind> = new Map(KINDS.map((kind) => [kind.name, kind]))
const OPS = [...BY_OP.keys(), 'status', 'subscribe', 'unsubscribe', 'cancel'].join(', ')

export interface SessionParts {
  readonly ask: Ask
  readonly hub: Hub
  readonly drain: Drain
  readonly metrics: Pick<Metrics, 'stream'>
  readonly observer: Observer
  readonly status: () => object
  readonly newId: () => string
  readonly clock: Clock
}

/** What goes on over one socket: requests and subscriptions by the ids that its client gives them. */
export interface Session {
  /** One frame of the client. Whatever it is, it is answered by a frame. */
  hear(text: string): void
  /** Ends everything that is open. */
  end(): void
}

/** What goes on over the socket of this outbox; `reader` is whoever is at its other end. */
export function createSession(
  outbox: Outbox,
  reader: Reader,
  scopes: ReadonlySet<Scope>,
  parts: SessionParts,
): Session {
  const { ask, hub, drain, metrics, observer, status, newId, clock } = parts
  const open = new Map<StreamId, AbortController>()

  function fail(id: StreamId | null, cause: unknown): void {
    const error = toTidegateError(cause)
    observer.refused(error, { id })
    outbox.send({ id, error: error.toJSON() })
  }

  /** What of a request is not as expected is not asked. */
  function prepared(kind: Kind, body: object, requestId: string): Prepared {
    try {
      return kind.prepare(body)
    } catch (cause) {
      observer.refused(toTidegateError(cause), { request: requestId, op: kind.name })
      throw cause
    }
  }

  function cancel(id: StreamId): void {
    const found = open.get(id)
    open.delete(id)
    found?.abort()
    outbox.send({ id, cancelled: found !== undefined })
  }

  /** Runs what has an id until it is over; what it fails with is its last frame. */
  async function run(id: StreamId, work: (abort: AbortSignal, hold: Reader['hold']) => Promise<object>): Promise<void> {
    const abort = new AbortController()
    let release = () => {}
    open.set(id, abort)
    let last: object
    try {
      last = await work(abort.signal, (size) => {
        release = reader.hold(size)
        return release
      })
      // It can be the whole answer.
      while (outbox.isFull() && !abort.signal.aborted) await outbox.room(abort.signal)
    } catch (cause) {
      last = { error: toTidegateError(cause).toJSON() }
    }
    release()
    // Who cancelled has had the last frame already, and the id may be in use again.
    if (open.get(id) !== abort) return
    open.delete(id)
    outbox.send({ id, ...last })
  }

  async function answer(
    kind: Kind,
    body: object,
    id: StreamId,
    { signal, hold }: { signal: AbortSignal; hold: Reader['hold'] },
  ): Promise<object> {
    const requestId = newId()
    const asked = await untilRead(prepared(kind, body, requestId), signal)
    const answered = await ask(kind, asked, { requestId, signal })
    hold(answered.size)
    if (kind.inLines) outbox.send({ id, head: { requestId, ...answered.head } })
    for (const chunk of answered.chunks?.() ?? []) {
      while (!signal.aborted && !outbox.offer({ id, chunk })) await outbox.room(signal)
      if (signal.aborted) break
    }
    return { done: answered.done }
  }

  /** A peer that does not read what it has asked asks for nothing more: its request waits here, and its patience runs. */
  async function untilRead(asked: Prepared, signal: AbortSignal): Promise<Prepared> {
    if (!outbox.isFull()) return asked
    const { waitMs } = asked.job
    const cameMs = clock.now()
    const impatient = new AbortController()
    const stopTimer = clock.after(waitMs, () => impatient.abort())
    const either = AbortSignal.any([signal, impatient.signal])
    while (outbox.isFull() && !either.aborted) await outbox.room(either)
    stopTimer()
    if (outbox.isFull()) {
      const message = `This socket has not been read within ${waitMs} ms: read what it brings, and ask again.`
      throw new TidegateError('busy', message, { retryAfterMs: UNREAD_MS })
    }
    return { ...asked, job: { ...asked.job, waitMs: Math.max(0, waitMs - (clock.now() - cameMs)) } }
  }

  async function subscribe(body: object, id: StreamId, signal: AbortSignal): Promise<object> {
    const watch = observer.subscription(newId())
    try {
      await follow(body, id, signal, watch)
      watch.over()
      return { cancelled: true }
    } catch (cause) {
      watch.over(toTidegateError(cause))
      throw cause
    }
  }

  async function follow(body: object, id: StreamId, signal: AbortSignal, watch: Watch): Promise<void> {
    if (!scopes.has('live'))
      throw new TidegateError('forbidden', 'This key may not subscribe: use one with the scope "live".')
    const live = prepareLive(body)
    watch.named(live.request)
    let dropped = 0
    let stopWaiting = () => {}
    const { over, snapshot } = hub.join(live, hear, signal)

    function hear(event: Told): void {
      if (event.subscribed) watch.begun()
      pieces(event).forEach(tell)
    }
    function tell(event: Told): void {
      // That it stands, and what is missing, is said to a slow reader too.
      if (event.subscribed || event.gap) outbox.send({ id, ...event })
      else if (dropped > 0 || !outbox.offer({ id, ...event })) {
        if (dropped === 0) stopWaiting = outbox.onRoom(goOn)
        dropped++
      }
    }
    function goOn(): void {
      outbox.send({ id, dropped })
      metrics.stream.dropped(dropped)
      dropped = 0
      for (const event of snapshot.events()) tell(event)
    }

    try {
      await over
    } finally {
      stopWaiting()
    }
  }

  function begin(id: StreamId, op: string, body: object): void {
    if (open.has(id)) throw new TidegateError('invalid', `The id ${JSON.stringify(id)} is in use: take another.`)
    if (open.size >= MOST_OPEN)
      throw new TidegateError('busy', `This socket has ${MOST_OPEN} ids open, which is the most: cancel one.`)
    const kind = BY_OP.get(op)
    if (kind)
      void run(id, (signal, hold) => {
        const { promise, resolve } = Promise.withResolvers<object>()
        return drain.hold(async () => resolve(await answer(kind, body, id, { signal, hold }))).then(() => promise)
      })
    else if (op === 'status') {
      checkedBody(NOTHING, body)
      outbox.send({ id, done: status() })
    } else if (op === 'subscribe') void run(id, (signal) => subscribe(body, id, signal))
    else throw new TidegateError('invalid', `There is no op "${op.slice(0, 32)}": expected one of ${OPS}.`)
  }

  return {
    hear(text) {
      let id: StreamId | null = null
      try {
        const { id: named, op, ...body } = checkedBody(streamCallSchema, parsed(text))
        // An error under an id that is in use would seem to be the last frame of what uses it.
        if (!open.has(named)) id = named
        if (op === 'cancel' || op === 'unsubscribe') {
          checkedBody(NOTHING, body)
          return cancel(named)
        }
        begin(named, op, body)
      } catch (cause) {
        fail(id, cause)
      }
    },
    end() {
      for (const abort of open.values()) abort.abort()
      open.clear()
    },
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new TidegateError('invalid', 'The frame is no JSON.', { cause })
  }
}

/** History in frames of as many bars as a line of a reply holds. */
function pieces(event: Told): readonly Told[] {
  if (!event.history) return [event]
  return [...barChunks(event.history)].map((history) => ({ history }))
}
