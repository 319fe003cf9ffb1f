import type { Bound, ErrorBody, ErrorKind, Hours, Priority, Spans, Unavailable, Window } from '@tidegate/core'
import type { Adjustment, Series, Store } from '@tidegate/db'
import type { Relay } from '@tidegate/relay'
import type { Cancelling } from './cancelling.ts'
import type { Datasets } from './datasets.ts'
import type { WebhookOptions } from './telling/post.ts'

export type { Cancelling } from './cancelling.ts'
export type { DatasetStatus, Datasets, SeriesStatus } from './datasets.ts'
export type { WebhookOptions } from './telling/post.ts'

/** Carries chunk ids to workers. An engine behind it may lose, repeat or delay a message: sweep and the leases make up for it. */
export interface ChunkQueue {
  /**
   * Hands over chunk ids, each to be worked on once `delaySec` has passed; before those of less `urgency` that wait, where the
   * engine can. Default of both: 0.
   */
  send(chunkIds: readonly string[], delaySec?: number, urgency?: number): Promise<void>
  /**
   * From now on every message goes to `work`, a bounded number at a time. One of which `work` throws comes again, a few
   * times, later each time; then it is given up, and its id goes to `bury`, once as a rule. When none is left to be worked
   * on now, `refill` is called, now and then: it sends what was held back, and says how much.
   */
  consume(
    work: (chunkId: string) => Promise<WorkResult>,
    bury: (chunkId: string) => Promise<void>,
    refill?: () => Promise<number>,
  ): Promise<void>
}

/** A want on demand: instruments × specs over a window. */
export interface FetchRequest {
  /** Instrument ids, or bare names: `AAPL.NASDAQ`, `AAPL`, `EUR/USD`. */
  readonly instruments: readonly string[]
  /** Timeframes (`1MIN 5MIN 1HOUR DAILY`) or bar specifications (`15-MINUTE-MID`). */
  readonly specs: readonly string[]
  readonly hours: Hours
  readonly window: Window
  /** Default `interactive`: somebody waits for it. */
  readonly priority?: Priority
}

/** What a plan is made of: a fetch, or all that a declared dataset wants by now. */
export type PlanRequest = FetchRequest | { readonly dataset: string }

export interface PlannedSeries {
  readonly instrumentId: string
  readonly spec: string
  readonly hours: Hours
  /** What was asked for, on the bars' grid, up to what is final now; undefined when nothing of it is. */
  readonly wanted: Window | undefined
  /** What is not covered and may be had. */
  readonly gaps: readonly Window[]
  readonly requests: number
  /** What the requests weigh in the budget of small bars: 0 for bars of a minute and longer. */
  readonly weight: number
  /** What is not covered and can never be had, with the reasons. */
  readonly unavailable: readonly Unavailable[]
  /** Set where it is wanted from IBKR's head timestamp on and that is not known yet: how many requests it takes is not either. */
  readonly isHeadUnknown?: true
  /** IBKR's newest refusal for want of permission that still stands, of this series or another one of the instrument. */
  readonly refusal: PlannedRefusal | undefined
}

export interface PlannedRefusal {
  /** What was asked when it was refused. */
  readonly spec: string
  readonly message: string
  readonly code: number | undefined
  /** Epoch seconds. */
  readonly at: number
}

export interface Plan {
  readonly series: readonly PlannedSeries[]
  readonly requests: number
  readonly weight: number
  /** Seconds until all of it is there, by the rule of IBKR's pacing that takes longest. */
  readonly expectedSec: number
  /** That rule; undefined where none takes a second. */
  readonly boundBy: Bound | undefined
  /** The gateway's clock, epoch seconds, where it is so far behind ours (an hour, as a replay's is) that nothing is asked behind it. */
  readonly gatewayTime?: number | undefined
  /** What a dataset names and was not found so far, or from when IBKR has data of it. */
  readonly problems: readonly Problem[]
}

/** Something of a fetch that can't be done, beside the rest that can. */
export interface Problem {
  /** The dataset that wants it; absent for a fetch. */
  readonly dataset?: string
  readonly instrument: string
  readonly spec: string | undefined
  readonly error: ErrorBody
}

export interface Started {
  readonly runId: string
  readonly chunks: number
  /** Requests that one run does not hold: asking the same again once it is done goes on with them. */
  readonly remaining: number
  readonly series: readonly Series[]
  readonly problems: readonly Problem[]
}

export interface TickResult {
  /** One for each due dataset of which something was to be asked. */
  readonly runs: readonly { readonly dataset: string; readonly runId: string; readonly chunks: number }[]
  /** Of all runs. */
  readonly chunks: number
  readonly problems: readonly Problem[]
}

export type WorkOutcome = 'done' | 'requeued' | 'failed' | 'parked' | 'nothing'

export interface WorkResult {
  readonly outcome: WorkOutcome
  /** Bars that were new or changed. */
  readonly written: number
  /** For `requeued`: when it may be tried again, seconds from now. A message for it has been sent. */
  readonly retryAfterSec?: number
  readonly error?: ErrorBody & { readonly kind: ErrorKind }
}

/** What became of the webhooks' posts in one pass. */
export interface Told {
  readonly delivered: number
  /** Those that are tried again later, or given up. */
  readonly failed: number
}

/** Where the ingest says what happened; pino's shape. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface IngestOptions {
  readonly store: Store
  readonly relay: Relay
  readonly queue: ChunkQueue
  /** Epoch milliseconds. */
  readonly now: () => number
  /** Uniform in [0, 1), for jitter. */
  readonly random: () => number
  /** A signal that aborts after `ms`. Default: AbortSignal.timeout. */
  readonly timeout?: (ms: number) => AbortSignal
  /** Resolves after `ms`. Default: setTimeout. */
  readonly pause?: (ms: number) => Promise<void>
  /** A fresh id for a run. */
  readonly newId: () => string
  readonly log: Log
  /** IBKR's message rate, for expected times while the bridge has not said what it allows. Default 45. */
  readonly messagesPerSec?: number
  /** Chunks that its workers have in hand at once, of all logins together, for expected times. Default 16 a login. */
  readonly openRequests?: number
  /**
   * Chunks of one run and bar specification that are with the queue at most. Default 500; fewer where the engine knows no
   * urgency, for they stand before what is asked later.
   */
  readonly mostWithQueue?: number
  /** Chunks that one run has at most. Default 10,000. */
  readonly mostChunks?: number
  /** What an answer takes as a rule, seconds, for expected times. Default 2. */
  readonly answerSec?: number
  /** Whether one call may wait for what another has begun, or hang it up, as Workers do not allow. Default true. */
  readonly mayCross?: boolean
  /** How many bridges the relay has, each with a login of its own, for expected times. Default 1. */
  readonly logins?: number
  /** How long requests are. Default `documented`. */
  readonly spans?: Spans
  /** How webhooks are told. Absent: events are noted, and somebody else tells them. */
  readonly webhooks?: WebhookOptions
}

/** The use case: everything that a schedule, a webhook, the API or the command line can want, on any runtime. */
export interface Ingest extends Datasets, Cancelling {
  /**
   * What a fetch, or a dataset by now, would ask, without asking anything. Throws `invalid` on input that can't be meant,
   * `not-found` for a dataset that was not declared.
   */
  plan(request: PlanRequest): Promise<Plan>
  /** Starts a fetch: resolves the instruments, opens a run with a chunk for every gap, hands them to the queue. */
  start(request: FetchRequest): Promise<Started>
  /** Due datasets → gaps → chunks → a run. Two at once ask for nothing twice. */
  tick(): Promise<TickResult>
  /**
   * Gives up collecting a series again after a split: what is stored stays as it was, and what comes from now on is stored as it
   * comes. What it is by now, as it stays where it was over already; undefined where there is none.
   */
  abandonAdjustment(id: number): Promise<Adjustment | undefined>
  /** One chunk: claim, ask, check, commit, settle. Doing it twice is harmless. Throws only when even the database is gone. */
  work(chunkId: string): Promise<WorkResult>
  /** Hands to the queue what was held back so as not to flood it. How many chunks; one query where there are none. */
  refill(): Promise<number>
  /**
   * What was lost on the way goes round again: outbox entries, due chunks, expired leases, and what waited for a login that
   * somebody has made since; finished runs are closed.
   */
  sweep(): Promise<{ readonly sent: number; readonly closed: number }>
  /**
   * Webhooks are told of what has happened since, and of what they did not take before; a delivery named alone, if it is due.
   * Takes up to half a minute where an address does not answer: nothing else may wait for it.
   */
  tell(deliveryId?: string): Promise<Told>
}
