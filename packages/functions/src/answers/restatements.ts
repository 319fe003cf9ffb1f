import { type ErrorBody, formatInstant, type Hours } from '@tidegate/core'
import type { Adjustment, Restatement } from '@tidegate/db'

interface OfSeries {
  readonly instrumentId: string
  readonly spec: string
  readonly hours: Hours
}

interface Prices {
  readonly open: number
  readonly high: number
  readonly low: number
  readonly close: number
}

/** `GET /v1/restatements`. */
export interface RestatementsAnswer {
  /** The newest change first. */
  readonly restatements: readonly (OfSeries & {
    /** The bar's start. */
    readonly t: string
    readonly old: Prices
    readonly new: Prices
    /** When the new prices were put in place. */
    readonly at: string
    /** The `id` of the adjustment that explains it; null for a bar that changed by itself. */
    readonly adjustment: number | null
  })[]
}

/** A split that was found, and what has become of it: `POST /v1/adjustments/:id/abandon`. */
export type AdjustmentAnswer = OfSeries & {
  readonly id: number
  /** New price ÷ old: 0.25 after four shares for one. */
  readonly ratio: number
  /**
   * `collecting`: readers still see the series as it was. `abandoned`: another split came while it was collected, or IBKR had
   * nothing of it any more (`error`), or somebody has given it up; in these two cases `since` equals `before`, and what was stored
   * stays as it was.
   */
  readonly state: Adjustment['state']
  /** What starts before can't be had any more, and stays as it was; null where all of it can be had. */
  readonly since: string | null
  /** What starts before was told anew. */
  readonly before: string
  readonly foundAt: string
  readonly endedAt: string | null
  readonly chunks: Adjustment['chunks']
  readonly error: ErrorBody | null
}

/** `GET /v1/adjustments`. */
export interface AdjustmentsAnswer {
  /** The newest first. */
  readonly adjustments: readonly AdjustmentAnswer[]
}

export function restatementsAnswer(restatements: readonly Restatement[]): RestatementsAnswer {
  return {
    restatements: restatements.map(({ t, old, new: now, at, adjustmentId, ...series }) => ({
      ...series,
      t: formatInstant(t),
      old: pricesAnswer(old),
      new: pricesAnswer(now),
      at: formatInstant(at),
      adjustment: adjustmentId ?? null,
    })),
  }
}

export function adjustmentsAnswer(adjustments: readonly Adjustment[]): AdjustmentsAnswer {
  return { adjustments: adjustments.map(adjustmentAnswer) }
}

export function adjustmentAnswer({ since, before, foundAt, endedAt, error, ...one }: Adjustment): AdjustmentAnswer {
  return {
    ...one,
    since: since === undefined ? null : formatInstant(since),
    before: formatInstant(before),
    foundAt: formatInstant(foundAt),
    endedAt: endedAt === undefined ? null : formatInstant(endedAt),
    error: error ?? null,
  }
}

function pricesAnswer([open, high, low, close]: Restatement['old']): Prices {
  return { open, high, low, close }
}
