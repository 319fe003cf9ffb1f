import type { ErrorBody } from './errors.ts'
import type { Hours } from './spec.ts'

/** Everything that webhooks tell of. docs/webhooks.md describes each. */
export const EVENT_TYPES = [
  'run.finished',
  'run.failed',
  'run.cancelled',
  'gap.confirmed',
  'restatement',
  'login.required',
] as const

export type EventType = (typeof EVENT_TYPES)[number]

/** `[start, end)` as ISO texts in UTC. */
export interface EventWindow {
  readonly start: string
  readonly end: string
}

interface RunEnded {
  readonly run: string
  /** The dataset it was opened for; null for one by hand. */
  readonly dataset: string | null
  /** What opened it: `fetch`, `tick`, … */
  readonly source: string
  readonly createdAt: string
  readonly finishedAt: string
  readonly chunks: {
    readonly done: number
    readonly failed: number
    readonly parked: number
    readonly cancelled: number
  }
  /** Bars that its answers held. */
  readonly bars: number
}

interface OfSeries {
  /** The series' number in the database. */
  readonly series: number
  readonly instrument: string
  readonly spec: string
  readonly hours: Hours
  readonly window: EventWindow
}

/** What an event of each type says, as JSON. */
export interface EventData {
  /** Every chunk of the run is done. */
  readonly 'run.finished': RunEnded
  /** A chunk of the run failed or was parked; `error` is the first such chunk's. */
  readonly 'run.failed': RunEnded & { readonly error: ErrorBody | null }
  /** Somebody stopped the run, or removed its dataset, before all of its chunks had ended. */
  readonly 'run.cancelled': RunEnded
  /** IBKR said twice that it has nothing for a window in which its own sessions say that the market was open. */
  readonly 'gap.confirmed': OfSeries
  /** Bars that were stored came back with other prices; `ratio`, new price ÷ old, where a split explains them. */
  readonly restatement: OfSeries & { readonly bars: number; readonly ratio: number | null }
  /** A person must log in at the gateway. Told once, until data come again. */
  readonly 'login.required': { readonly reason: string }
}

/** The body of a webhook. `id` is the same however often it is sent; `timestamp` is when it happened, ISO, UTC. */
export type TidegateEvent = {
  readonly [T in EventType]: {
    readonly id: string
    readonly type: T
    readonly timestamp: string
    readonly data: EventData[T]
  }
}[EventType]
