import { TidegateError } from '@tidegate/core'
import type { Clock } from './clock.ts'
import { gatewayError, meaningOf } from './codes.ts'

/** A request that has gone to the gateway and is not ended. */
export interface OpenRequest {
  /** Anything beside the answer: 2188 and its like. */
  notice(code: number, message: string): void
  /** IBKR's own word that there is nothing. False where that is no answer to this request. */
  noData(): boolean
  fail(error: TidegateError): void
}

/** What an open request knows of itself. */
export interface Self {
  readonly id: number
  /** It has its answer and goes on, as a subscription does: from here on nothing times out. */
  last(): void
}

export interface Requests<R extends OpenRequest> {
  /** The id that the next request will have. */
  readonly nextId: number
  /** The open request of an id; undefined for one that has ended: its late messages mean nothing. */
  get(id: number): R | undefined
  /**
   * Opens a request under a fresh id and sends it; resolves with what `begin`'s `resolve` is given, exactly once.
   * After `timeoutMs`, or when the signal aborts, it ends and `cancel` tells the gateway so.
   */
  open<T>(
    signal: AbortSignal,
    begin: (resolve: (value: T) => void, reject: (error: TidegateError) => void, self: Self) => R,
    wire: { send(id: number): void; cancel(id: number): void },
  ): Promise<T>
  /** Something that was sent is lost, and nobody knows what: ends every open request, and tells the gateway so. */
  lose(error: TidegateError): void
  /** A message of the gateway that names a request. */
  message(id: number, code: number, text: string): void
  /** The connection is over: fails every open request, and whatever is opened after that. */
  end(error: TidegateError): void
}

/** The requests of one connection, each ended once: by its answer, an error, its timeout, its caller, or the connection's end. */
export function createRequests<R extends OpenRequest>({
  clock,
  timeoutMs,
  firstId,
}: {
  clock: Clock
  timeoutMs: number
  firstId: number
}): Requests<R> {
  const open = new Map<number, R>()
  const waiting = new Map<number, (error: TidegateError) => void>()
  let nextId = firstId
  let over: TidegateError | undefined

  return {
    get nextId() {
      return nextId
    },
    get: (id) => open.get(id),
    open(signal, begin, wire) {
      if (over) return Promise.reject(over)
      if (signal.aborted) return Promise.reject(hungUp())
      const id = nextId++
      return new Promise((resolve, reject) => {
        const end = () => {
          open.delete(id)
          waiting.delete(id)
          stopTimer()
          signal.removeEventListener('abort', onAbort)
        }
        const fail = (error: TidegateError) => {
          end()
          reject(error)
        }
        const giveUp = (error: TidegateError) => {
          fail(error)
          wire.cancel(id)
        }
        const onAbort = () => giveUp(hungUp())
        const stopTimer = clock.after(timeoutMs, () =>
          giveUp(
            new TidegateError(
              'timeout',
              `The gateway did not answer within ${timeoutMs / 1000} s; the request was cancelled. Asking again is safe.`,
            ),
          ),
        )
        const succeed = (value: Parameters<typeof resolve>[0]) => {
          end()
          resolve(value)
        }
        const last = () => {
          stopTimer()
          waiting.delete(id)
        }
        open.set(id, begin(succeed, fail, { id, last }))
        waiting.set(id, giveUp)
        signal.addEventListener('abort', onAbort, { once: true })
        wire.send(id)
      })
    },
    lose(error) {
      for (const giveUp of [...waiting.values()]) giveUp(error)
    },
    message(id, code, text) {
      const request = open.get(id)
      if (!request) return
      const { means, advice } = meaningOf(code, text)
      if (means === 'ignore') return
      if (means === 'notice') return request.notice(code, text)
      if (means === 'no-data' && request.noData()) return
      request.fail(gatewayError(means === 'no-data' ? 'internal' : means, code, text, advice))
    },
    end(error) {
      over ??= error
      for (const request of [...open.values()]) request.fail(error)
    },
  }
}

function hungUp(): TidegateError {
  return new TidegateError('disconnected', 'The caller hung up; the request was cancelled.')
}
