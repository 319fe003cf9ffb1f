import { appendBars, type ContractDetails, emptyBars, TidegateError, toTidegateError } from '@tidegate/core'
import type { z } from 'zod'
import type { Relay } from './client.ts'
import { checked, errorFrom } from './errors.ts'
import { assertWhole, checkedColumns } from './lines.ts'
import {
  barColumnsSchema,
  barsDoneSchema,
  chainsAnswerSchema,
  contractsAnswerSchema,
  headAnswerSchema,
  type LiveEvent,
  type StreamFrame,
  type SubscriptionRequest,
  searchAnswerSchema,
  sessionsAnswerSchema,
  statusSchema,
  streamFrameSchema,
  type TicksRequest,
  ticksDoneSchema,
} from './schema/index.ts'
import type { Connect } from './socket.ts'
import { createPage } from './ticks.ts'

/** What a subscription tells: `subscribed` when it has gone to the gateway, again with a gap after a break. */
export type StreamEvent = LiveEvent & { readonly subscribed?: true }

/** The relay over one WebSocket: the same requests, many at a time, and subscriptions. */
export interface Stream extends Relay {
  /**
   * Tells what comes until the signal aborts, then resolves. Rejects when the subscription ends by itself: what broke
   * at the gateway is made anew by the bridge, so that is for good, or the socket's end.
   */
  subscribe(request: SubscriptionRequest, hear: (event: StreamEvent) => void, signal: AbortSignal): Promise<void>
  /** Resolves when the socket has closed, with why. Everything open has failed by then; a new stream is to be made. */
  readonly closed: Promise<TidegateError>
  close(): void
}

export interface StreamOptions {
  /** Where the bridge listens: `http://127.0.0.1:8787`. */
  readonly url: string
  readonly key: string
  readonly connect: Connect
}

interface Open {
  hear(frame: StreamFrame): void
  fail(error: TidegateError): void
}

/** Opens a stream. Throws `disconnected` where the bridge does not open one. */
export async function createStream({ url, key, connect }: StreamOptions): Promise<Stream> {
  const open = new Map<number, Open>()
  const { promise: closed, resolve: tellClosed } = Promise.withResolvers<TidegateError>()
  let over: TidegateError | undefined
  let nextId = 1

  const socket = await connect(new URL('/v1/stream', url).href, { authorization: `Bearer ${key}` }).catch(
    (cause: unknown) => {
      throw toTidegateError(cause, 'disconnected')
    },
  )
  const end = (error: TidegateError) => {
    over ??= error
    for (const one of [...open.values()]) one.fail(over)
    tellClosed(over)
  }
  socket.addEventListener('close', ({ reason }) =>
    end(new TidegateError('disconnected', `The stream has closed${reason ? ` (${reason})` : ''}: open another.`)),
  )
  socket.addEventListener('error', () => end(new TidegateError('disconnected', 'The stream broke: open another.')))
  socket.addEventListener('message', ({ data }) => {
    try {
      const frame = checked(streamFrameSchema, JSON.parse(String(data)))
      if (typeof frame.id === 'number') open.get(frame.id)?.hear(frame)
      else if (frame.error) throw errorFrom(frame.error)
    } catch (cause) {
      end(toTidegateError(cause))
      socket.close()
    }
  })

  /** Sends a call and hears its frames until `hear` gives a result; hanging up cancels at the bridge. */
  function call<T>(
    op: string,
    body: object,
    signal: AbortSignal | undefined,
    hear: (frame: StreamFrame) => { readonly result: T } | undefined,
  ): Promise<T> {
    if (over) return Promise.reject(over)
    const id = nextId++
    return new Promise((resolve, reject) => {
      const leave = () => {
        open.delete(id)
        signal?.removeEventListener('abort', hangUp)
      }
      const fail = (error: TidegateError) => {
        leave()
        reject(error)
      }
      const hangUp = () => {
        fail(new TidegateError('disconnected', 'The caller hung up.'))
        if (!over) socket.send(JSON.stringify({ id, op: 'cancel' }))
      }
      if (signal?.aborted) return reject(new TidegateError('disconnected', 'The caller hung up.'))
      open.set(id, {
        fail,
        hear(frame) {
          if (frame.error) return fail(errorFrom(frame.error))
          try {
            const heard = hear(frame)
            if (!heard) return
            leave()
            resolve(heard.result)
          } catch (cause) {
            fail(toTidegateError(cause))
          }
        },
      })
      signal?.addEventListener('abort', hangUp, { once: true })
      socket.send(JSON.stringify({ ...body, id, op }))
    })
  }

  const ask = <S extends z.ZodType>(op: string, schema: S, body: object, signal?: AbortSignal) =>
    call(op, body, signal, ({ done }) => done && { result: checked(schema, done) })

  return {
    contracts: async (request, signal) =>
      (await ask('contracts', contractsAnswerSchema, request, signal)).contracts as unknown as ContractDetails[],
    search: async (request, signal) => (await ask('search', searchAnswerSchema, request, signal)).matches,
    chains: async (request, signal) => (await ask('chains', chainsAnswerSchema, request, signal)).chains,
    head: async (request, signal) => (await ask('head', headAnswerSchema, request, signal)).head,
    sessions: (request, signal) => ask('sessions', sessionsAnswerSchema, request, signal),
    status: (signal) => ask('status', statusSchema, {}, signal),
    bars(request, signal) {
      const bars = emptyBars()
      return call('bars', request, signal, (frame) => {
        if (frame.chunk) appendBars(bars, checkedColumns(barColumnsSchema, frame.chunk))
        if (!frame.done) return undefined
        const done = checked(barsDoneSchema, frame.done)
        assertWhole('bars', done.bars, bars.t.length)
        return { result: { bars, done } }
      })
    },
    ticks<R extends TicksRequest>(request: R, signal?: AbortSignal) {
      const page = createPage<R['whatToShow']>(request.whatToShow)
      return call('ticks', request, signal, (frame) => {
        if (frame.chunk) page.append(checkedColumns(page.schema, frame.chunk))
        if (!frame.done) return undefined
        const done = checked(ticksDoneSchema, frame.done)
        assertWhole('ticks', done.ticks, page.ticks.t.length)
        return { result: { ticks: page.ticks, done } }
      })
    },
    async subscribe(request, hear, signal) {
      try {
        await call('subscribe', request, signal, ({ id: _, cancelled, ...event }) => {
          if (cancelled) return { result: undefined }
          hear(event)
          return undefined
        })
      } catch (cause) {
        if (!signal.aborted) throw cause
      }
    },
    closed,
    close: () => socket.close(),
  }
}
