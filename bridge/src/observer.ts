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

/** Sees every request end, whichever way it came in. */
export interface Observer {
  begin(requestId: string, kind: string): Span
}

/** Tells each request's end to the log, in one line with the relay's id and the gateway's, and to the metrics. */
export function createObserver({ clock, log, metrics }: { clock: Clock; log: Log; metrics: Metrics }): Observer {
  return {
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
