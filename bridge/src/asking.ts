import { TidegateError, toTidegateError } from '@tidegate/core'
import type { Clock } from './clock.ts'
import { chargeOf, lengthMs, RULES } from './pacing/rules.ts'
import type { PacedJob, Pacing } from './pacing.ts'
import type { Turn } from './turn.ts'

/** No identical request within this long of the last, not even one that failed. */
const IDENTICAL_MS = lengthMs(RULES.identical)
/** What several connections have broken under is not put to another. */
const MOST_BREAKS = 3
/** IBKR's word that the messages of the connection come too fast. */
const MESSAGE_RATE = 100

export interface AskedJob extends PacedJob {
  /** Why it could not be asked now: what passes by itself is waited for, for as long as the job's patience lasts. */
  obstacle?(): TidegateError | undefined
}

/** Asks until there is an answer or the patience is at its end. */
export interface Asking {
  /**
   * Lets `send` go when pacing allows it and brings its answer. Where the gateway complained of pacing, or answered
   * nothing at all, the class holds back and the request is asked again; where the connection or IBKR's servers broke
   * under it, it is asked again once they are back. Never within 15 seconds of the last time, and never later than
   * the job's `waitMs` after the first. Beyond that, the failure comes out with the time after which asking makes sense.
   */
  ask<T>(job: AskedJob, send: () => Promise<T>): Promise<T>
}

export function createAsking({ clock, pacing }: { clock: Clock; pacing: Pacing }): Asking {
  /** What the gateway complains of holds back. */
  function holdBack(error: TidegateError, { rule }: PacedJob): void {
    if (error.code === MESSAGE_RATE) pacing.backOff('messages')
    else if (chargeOf(rule).small > 0) pacing.backOff('small')
  }

  return {
    async ask({ obstacle = () => undefined, turn, ...job }, send) {
      const ownUntilMs = clock.now() + job.waitMs
      const untilMs = () => turn?.untilMs ?? ownUntilMs
      let failure: TidegateError | undefined
      let sentMs = -Infinity
      for (let breaks = 0; ; ) {
        const nowMs = clock.now()
        const standing = obstacle()
        if (standing && !isPassing(standing)) throw standing
        const pauseMs = sentMs + IDENTICAL_MS - nowMs
        if (failure && nowMs + pauseMs > untilMs()) throw later(failure, pauseMs)
        const isReady = () => obstacle() === undefined && clock.now() >= sentMs + IDENTICAL_MS
        const why = (busy: TidegateError) => {
          const reason = obstacle() ?? failure
          return reason ? later(reason, busy.retryAfterMs ?? 0) : busy
        }
        const waitMs = Math.max(0, untilMs() - nowMs)
        try {
          return await pacing.run({ ...job, waitMs, isReady, turn: turn && explained(turn, why) }, () => {
            sentMs = clock.now()
            return send()
          })
        } catch (cause) {
          const error = toTidegateError(cause)
          if (job.signal?.aborted) throw error
          if (error.kind === 'busy') throw why(error)
          if (error.kind === 'pacing') holdBack(error, job)
          else if (!isPassing(error) || ++breaks >= MOST_BREAKS) throw error
          failure = error
        }
      }
    },
  }
}

/** The same turn, where whoever has to leave it is told why. */
function explained(turn: Turn, why: (busy: TidegateError) => TidegateError): Turn {
  return {
    get priority() {
      return turn.priority
    },
    get untilMs() {
      return turn.untilMs
    },
    enter: ({ raised, refusal }) =>
      turn.enter({
        raised,
        async refusal(leftMs, waitMs) {
          const busy = await refusal(leftMs, waitMs)
          return busy && why(busy)
        },
      }),
  }
}

/** Whether it passes by itself, without anybody doing anything. */
function isPassing({ kind }: TidegateError): boolean {
  return kind === 'disconnected' || kind === 'farm-down'
}

/** The same failure, with no earlier time to come again. */
function later(error: TidegateError, retryAfterMs: number): TidegateError {
  const ms = Math.max(Math.ceil(retryAfterMs), error.retryAfterMs ?? 0)
  return new TidegateError(error.kind, error.message, { cause: error, code: error.code, retryAfterMs: ms })
}
