import { type Bound, formatInstant, type Hours } from '@tidegate/core'
import type { Plan, Problem } from '@tidegate/ingest'
import { type WindowAnswer, windowAnswer } from '../answers.ts'

/** `POST /v1/plan`. */
export interface PlanAnswer {
  readonly series: readonly {
    readonly instrumentId: string
    readonly spec: string
    readonly hours: Hours
    /** Null where nothing of what is asked for is final yet. */
    readonly wanted: WindowAnswer | null
    /** What is not covered and may be had. */
    readonly gaps: readonly WindowAnswer[]
    readonly requests: number
    /** What the requests weigh in the budget of small bars, of which IBKR allows 60 in any ten minutes. */
    readonly weight: number
    /** What is not covered and can never be had, with the reasons. */
    readonly unavailable: readonly { readonly windows: readonly WindowAnswer[]; readonly why: string }[]
    /** True where it is wanted from IBKR's head timestamp on and that is not known yet; else absent. */
    readonly isHeadUnknown?: true
    /** IBKR's newest refusal for want of permission that still stands, of this series or another one of the instrument. */
    readonly refusal: {
      readonly spec: string
      readonly message: string
      readonly code: number | null
      readonly at: string
    } | null
  }[]
  readonly requests: number
  readonly weight: number
  /** Seconds until all of it is there, by the rule of IBKR's pacing that takes longest. */
  readonly expectedSec: number
  /** That rule; null where none takes a second. */
  readonly boundBy: Bound | null
  /** The gateway's clock where it is an hour or more behind ours, as a replay's is: nothing behind it is asked for. */
  readonly gatewayTime?: string
  /** What a dataset names and was not found so far, or from when IBKR has data of it; none of a fetch. */
  readonly problems: readonly Problem[]
}

export function planAnswer({ series, boundBy, gatewayTime, ...total }: Plan): PlanAnswer {
  return {
    series: series.map(({ wanted, gaps, unavailable, refusal, ...one }) => ({
      ...one,
      wanted: wanted ? windowAnswer(wanted) : null,
      gaps: gaps.map(windowAnswer),
      unavailable: unavailable.map(({ windows, why }) => ({ windows: windows.map(windowAnswer), why })),
      refusal: refusal ? { ...refusal, code: refusal.code ?? null, at: formatInstant(refusal.at) } : null,
    })),
    ...total,
    boundBy: boundBy ?? null,
    ...(gatewayTime === undefined ? {} : { gatewayTime: formatInstant(gatewayTime) }),
  }
}
