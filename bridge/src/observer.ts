import type { TidegateError } from '@tidegate/core'
import type { Clock } from './clock.ts'
import type { Log } from './log.ts'
import type { Metrics, Outcome } from './metrics.ts'

/** One request on its way through the bridge. */
export interface Span {
  /** It goes to the gateway now; again, where it is asked again. */
  went(): void
  /** The gateway's id of it, once that is known. */
  named(gatewayId: number | undefined): void
  /** It has its answer: one line in the log, and the metrics. `told` is what the log should know of it. */
  answered(told: object, empty?: boolean): void
  failed(error: TidegateError, told?: object): void
}

/** One subscription, from when it was asked for to its end. */
export interface Watch {
  /** What it is of, once that is known to be as expected. */
  named(told: object): void
  /** It has gone to the gateway. */
  begun(): void
  /** It has ended: by whoever asked for it, or by an error. */
  over(error?: TidegateError): void
}

/** Sees every request end, whichever way it came in, and every subscription begin and end. */
export interface Observer {
  subscription(requestId: string): Watch
  /** What was not asked at all: no key, or not as expected. */
  refused(error: TidegateError, fields: object): void
  begin(requestId: string, kind: string): Span
}

/** Tells each request's end to the log, in one line with the relay's id and the gateway's, and to the metrics. */
export function createObserver({ clock, log, metrics }: { clock: Clock; log: Log; metrics: Metrics }): Observer {
  return {
    subscription(requestId) {
      let fields: object = { request: requestId }
      let hasBegun = false
      metrics.stream.subscriptions(1)
      return {
        named(told) {
          fields = { ...fields, ...told }
        },
        begun() {
          if (!hasBegun) log.info(fields, 'a subscription began')
          hasBegun = true
        },
        over(error) {
          metrics.stream.subscriptions(-1)
          if (!error) return log.info(fields, 'a subscription ended')
          metrics.stream.refused(error.kind)
          const why = { ...fields, outcome: error.kind, code: error.code, reason: error.message }
          log.info(why, `a subscription was ${hasBegun ? 'ended' : 'refused'}`)
        },
      }
    },
    refused(error, fields) {
      metrics.refused(error.kind)
      const told = { ...fields, kind: error.kind, code: error.code }
      if (error.kind === 'internal') log.error({ ...told, err: error }, 'a request failed')
      else log.info({ ...told, reason: error.message }, 'a request was refused')
    },
    begin(requestId, kind) {
      const cameMs = clock.now()
      let wentMs: number | undefined
      let gatewayId: number | undefined
      let times = 0

      function end(outcome: Outcome, told: object, error?: TidegateError): void {
        const now = clock.now()
        const waitMs = Math.max(0, (wentMs ?? now) - cameMs)
        const answerMs = wentMs === undefined ? undefined : Math.max(0, now - wentMs)
        metrics.request({ kind, outcome, waitMs, answerMs })
        const fields = {
          request: requestId,
          gatewayId,
          kind,
          outcome,
          waitedMs: waitMs,
          answeredMs: answerMs,
          ...(times > 1 ? { asked: times } : {}),
          ...told,
        }
        if (!error) log.info(fields, kind)
        else if (error.kind === 'internal') log.error({ ...fields, code: error.code, err: error }, `${kind} failed`)
        else log.info({ ...fields, code: error.code, reason: error.message }, `${kind} refused`)
      }

      return {
        went() {
          wentMs = clock.now()
          times++
        },
        named(id) {
          gatewayId = id
        },
        answered: (told, empty = false) => end(empty ? 'empty' : 'ok', told),
        failed: (error, told = {}) => end(error.kind, told, error),
      }
    },
  }
}
