import type { BarColumns, ContractDetails, ErrorBody, ErrorKind, Hours, Priority, Window } from '@tidegate/core'
import type { Adjustments } from './store/adjustments.ts'
import type { Completeness } from './store/completeness.ts'
import type { Datasets } from './store/datasets.ts'
import type { Doubts } from './store/doubts.ts'
import type { Events } from './store/events.ts'
import type { Hooks } from './store/hooks.ts'
import type { ApiKeys } from './store/keys.ts'
import type { Nearby } from './store/nearby.ts'
import type { Outbox } from './store/outbox.ts'
import type { Planning } from './store/planning.ts'
import type { Recovery } from './store/recovery.ts'
import type { Restatements } from './store/restatements.ts'
import type { Runs } from './store/runs.ts'
import type { Sessions } from './store/sessions.ts'
import type { LearnedSpans } from './store/spans.ts'
import type { Webhooks } from './store/webhooks.ts'

export type { Adjustments, Collecting, FoundSplit } from './store/adjustments.ts'
export type * from './store/completeness.ts'
export type * from './store/datasets.ts'
export type * from './store/due.ts'
export type { Events } from './store/events.ts'
export type * from './store/hooks.ts'
export type * from './store/keys.ts'
export type { Nearby } from './store/nearby.ts'
export type * from './store/outbox.ts'
export type * from './store/planning.ts'
export type * from './store/recovery.ts'
export type { Adjustment, Restatement, Restatements } from './store/restatements.ts'
export type * from './store/runs.ts'
export type * from './store/sessions.ts'
export type * from './store/spans.ts'
export type * from './store/webhooks.ts'

/** A contract as stored. `id` is an instrument id such as `AAPL.NASDAQ`. */
export interface Instrument {
  readonly id: string
  readonly details: ContractDetails
  /** Epoch seconds of the gateway's answer. */
  readonly updatedAt: number
}

/** Instrument × spec × hours: `AAPL.NASDAQ`, `1-MINUTE-LAST`, `regular`. */
export interface SeriesKey {
  readonly instrumentId: string
  readonly spec: string
  readonly hours: Hours
}

export interface Series extends SeriesKey {
  readonly id: number
}

export type CoverageState = 'filled' | 'empty' | 'unavailable'
export type ChunkState = 'queued' | 'leased' | 'done' | 'failed' | 'parked' | 'cancelled'
export type RunState = 'open' | 'done' | 'failed' | 'cancelled'

/** One window of one series, to be asked for by one request. */
export interface ChunkPlan {
  readonly seriesId: number
  readonly window: Window
}

/** What a worker that claimed a chunk needs; only the holder of the fence may close it. */
export interface Claim {
  readonly chunkId: string
  readonly runId: string
  readonly fence: number
  /** How often it has been claimed, this time included. */
  readonly attempt: number
  /** What its last failure was, and how often in a row it has failed so; undefined when it never did. */
  readonly failed: { readonly kind: ErrorKind; readonly times: number } | undefined
  readonly window: Window
  /** Its run's. */
  readonly priority: Priority
  /** How often IBKR said "no data" of it where its sessions say that the market was open. */
  readonly doubts: number
  /** The adjustment that it collects again; undefined for a chunk of what is missing. */
  readonly adjustmentId: number | undefined
  /** IBKR's head timestamp of the series, epoch seconds; undefined while it is not known. */
  readonly head: number | undefined
  readonly series: Series
  readonly instrument: Instrument
}

/** What the gateway said of a chunk's window. */
export interface Answer {
  /** Bars within the chunk's window, final ones only, ordered by t, each t once. */
  readonly bars: BarColumns
  readonly state: CoverageState
  /** The part of the chunk's window that is answered for good; undefined when no bar of it had closed yet. */
  readonly covered: Window | undefined
  /** Those of the bars that do not look right, and why; they are stored all the same. */
  readonly flags?: readonly BarFlag[]
  /** Bars outside of what is covered that are stored and came otherwise, ordered by t: they replace those. */
  readonly corrections?: BarColumns
  /** IBKR has said twice that there is nothing where its sessions say that the market was open: that is told as `gap.confirmed`. */
  readonly isConfirmed?: boolean
}

export interface BarFlag {
  /** The bar's start, epoch seconds. */
  readonly t: number
  readonly why: string
}

export interface Committed {
  /** False: another worker held the fence; nothing was written. */
  readonly held: boolean
  /** Rows inserted or changed. */
  readonly written: number
  /** Rows that stood there with other prices, kept in `restatements`. */
  readonly restated: number
}

export interface RunProgress {
  readonly id: string
  readonly state: RunState
  readonly createdAt: number
  readonly finishedAt: number | undefined
  readonly chunks: Readonly<Record<ChunkState, number>>
  readonly bars: number
  readonly series: readonly SeriesProgress[]
}

export interface SeriesProgress extends SeriesKey {
  readonly seriesId: number
  readonly total: number
  /** Chunks that are done, failed, parked or cancelled. */
  readonly settled: number
  readonly bars: number
  /** The newest failure of the series' chunks in this run. */
  readonly error: ErrorBody | undefined
}

export interface SeriesSummary extends SeriesKey {
  readonly id: number
  readonly bars: number
  /** First and last bar, epoch seconds; undefined while there is none. */
  readonly from: number | undefined
  readonly to: number | undefined
  /** Everything answered, whichever state, as the fewest windows. */
  readonly covered: readonly Window[]
}

/**
 * The database: the only memory there is. Every method is one statement or one transaction, safe to repeat,
 * and throws a TidegateError of kind `database` when the database is out of reach. Instants are epoch seconds UTC.
 */
export interface Store
  extends Datasets,
    Events,
    Webhooks,
    Hooks,
    ApiKeys,
    Outbox,
    Planning,
    LearnedSpans,
    Sessions,
    Doubts,
    Completeness,
    Runs,
    Recovery,
    Adjustments,
    Nearby,
    Restatements {
  /** Stores what the gateway said; `alias` is another name it was asked for by (`AAPL` for `AAPL.NASDAQ`), found again by `instrument`. */
  putInstrument(id: string, details: ContractDetails, now: number, alias?: string): Promise<void>
  instrument(idOrAlias: string): Promise<Instrument | undefined>
  /** Ids of the stored instruments that `name` is the whole of, or all but the venue: `SPY` → `SPY.ARCA`. */
  instrumentIds(name: string): Promise<string[]>
  /** The series of these keys, made where they were missing, in the order asked. Their instruments must be stored. */
  ensureSeries(keys: readonly SeriesKey[]): Promise<Series[]>
  /**
   * A run and its chunks in one statement. A chunk that overlaps an open one of its series is left out: two planners never ask
   * twice. Of an id that there is already nothing is opened.
   */
  createRun(run: {
    readonly id: string
    readonly source: string
    /** The dataset it is for; absent for one by hand. */
    readonly dataset?: string
    /** What its requests go before or after. Default `scheduled`. */
    readonly priority?: Priority
    /** The adjustment that its chunks collect again: they may lie beside open ones of what is missing. */
    readonly adjustmentId?: number
    readonly chunks: readonly ChunkPlan[]
    readonly now: number
  }): Promise<{ readonly chunkIds: string[] }>
  /**
   * Leases a chunk that is queued and due, or whose lease has run out; undefined when there is nothing to do, or when its
   * series is being collected again after a split. A time to wait of more than a day, or a lease of more than an hour, was written by
   * a clock that was ahead, and counts as over. A lease that ran out counts as a failure of kind `internal`: whoever held it ended without a word.
   */
  claim(chunkId: string, lease: { readonly now: number; readonly leaseSec: number }): Promise<Claim | undefined>
  /**
   * The one statement that writes rows, their coverage, the chunk's end and the outbox, only under the chunk's fence.
   * Corrections take the place of bars that are stored, and are dropped where there are none. Prices that change are kept in
   * `restatements` and told. Throws `internal`, nothing written, for an answer that claims more than the chunk asked for, or
   * whose bars are not within what it covers, in order and each once.
   */
  commit(claim: Pick<Claim, 'chunkId' | 'fence' | 'window'>, answer: Answer, now: number): Promise<Committed>
  /** Puts a claimed chunk back, to be claimed from `notBefore` on. False when the fence is no longer held. */
  requeue(claim: Pick<Claim, 'chunkId' | 'fence'>, error: ErrorBody, notBefore: number): Promise<boolean>
  /**
   * Ends a claimed chunk without an answer: `failed`, or `parked` for a person. False when the fence is no longer held.
   * An error of kind `login-required` is noted as `noteLogin` does.
   */
  giveUp(
    claim: Pick<Claim, 'chunkId' | 'fence'>,
    state: 'failed' | 'parked',
    error: ErrorBody,
    now: number,
  ): Promise<boolean>
  /**
   * Chunks that are queued and due, or whose lease has run out, oldest first. With `graceSec`, of the former those alone that
   * have been due for so long and were handed to the queue: their messages should have come by now.
   */
  due(now: number, limit: number, graceSec?: number): Promise<string[]>
  run(id: string): Promise<RunProgress | undefined>
  /** Every series, or those of the given instruments and specs, with what is stored and covered. */
  series(filter?: {
    readonly instrumentIds?: readonly string[]
    readonly specs?: readonly string[]
  }): Promise<SeriesSummary[]>
  /** Bars of `[start, end)`, ordered by time, at most `limit`. */
  bars(seriesId: number, window: Window, limit: number): Promise<BarColumns>
  /**
   * Closes the open runs whose chunks have all settled: `failed` when one failed or was parked, else `cancelled` when one was
   * cancelled, `done` otherwise; and notes the event of each: `run.failed`, `run.cancelled` or `run.finished`. Their ids.
   */
  closeRuns(now: number): Promise<string[]>
  /**
   * Stamps the database as holding simulated or real data, at first use; the stamp found is returned and never changes.
   * Made-up bars must never lie beside real ones.
   */
  stampOrigin(origin: 'simulated' | 'gateway'): Promise<'simulated' | 'gateway'>
  /** Whether the database answers. Throws `database` when not. */
  ping(): Promise<void>
}
