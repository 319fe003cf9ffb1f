import {
  calendarOf,
  type ErrorKind,
  isDated,
  type KnownSessions,
  provenSessions,
  subtract,
  toTidegateError,
  type Window,
  zoneOffsetSec,
} from '@tidegate/core'
import type { CalendarSessions, Claim } from '@tidegate/db'
import type { SessionsAnswer } from '@tidegate/relay'
import { specOf } from './planning.ts'
import { askable } from './resolve.ts'
import type { IngestOptions } from './types.ts'

const DAY_SEC = 86_400
/**
 * The past is asked in blocks of 47 weeks, a year each time: two that want the same time ask alike, and an answer begins
 * weeks before its block, for its first session proves nothing. Only the unit Y is allowed for SCHEDULE's bars of a day by
 * both of IBKR's tables (ibkr-rules, "Bar size and duration").
 */
const BLOCK_SEC = 47 * 7 * DAY_SEC
const DURATION = '1 Y'
/** A session that reaches over a block's end is proven by the next block's answer; none is longer. */
const JOINT_SEC = 3 * DAY_SEC
/** The sessions of now are asked again so often, and after each close. */
const STALE_SEC = 3600
/** Where bars came of which they don't tell: so often. */
const UNTOLD_SEC = 300
/** What could not be answered is left alone for so long. */
const FAILED_SEC = 300
const WAIT_MS = 20_000
/** By these IBKR says that it has no schedule for whoever asks. */
const REFUSED: ReadonlySet<ErrorKind> = new Set(['invalid', 'not-found', 'no-permission'])
/** Notes of what was asked in vain, all dropped when they become too many. */
const MOST_NOTES = 10_000

/** IBKR's schedules as the worker needs them: stored ones, and what is missing of them asked for. */
export interface Calendars {
  /**
   * The sessions that matter to a chunk. Undefined for an instrument of which IBKR gives none. What could not be asked is
   * not known, and never closed; throws only what the database throws.
   */
  around(claim: Claim, signal: AbortSignal): Promise<KnownSessions | undefined>
  /** The sessions of now are too old to tell of bars that came: they are asked for again with the next chunk, minutes later at the soonest. */
  renew(claim: Claim): void
}

export function createCalendars({
  store,
  relay,
  now,
  log,
  mayCross = true,
}: Pick<IngestOptions, 'store' | 'relay' | 'now' | 'log' | 'mayCross'>): Calendars {
  /** What is being asked by someone. */
  const open = new Map<string, Promise<void>>()
  /** Until when something is not to be asked again, epoch seconds. */
  const notes = new Map<string, number>()
  /** Notes of what was asked for and not answered. */
  const vain = new Set<string>()
  /** Calendars whose sessions of now are too old for what came. */
  const untold = new Set<string>()
  const nowSec = () => Math.floor(now() / 1000)

  function leave(key: string, forSec: number): void {
    if (notes.size >= MOST_NOTES) {
      notes.clear()
      vain.clear()
    }
    notes.set(key, nowSec() + forSec)
  }

  async function ask(claim: Claim, calendar: string, block: number, note: string, signal: AbortSignal): Promise<void> {
    const { contract, realExpirationDate } = claim.instrument.details
    const { hours } = claim.series
    const askedAt = nowSec()
    const past = (block + 1) * BLOCK_SEC
    const isNow = past > askedAt
    let answer: SessionsAnswer
    try {
      answer = await relay.sessions(
        {
          contract: askable(claim.instrument),
          hours,
          end: isNow ? undefined : past,
          duration: DURATION,
          priority: claim.priority,
          waitMs: WAIT_MS,
          caller: claim.runId,
        },
        signal,
      )
    } catch (err) {
      // Whoever hung up has said nothing of the sessions.
      if (signal.aborted) return
      leave(note, FAILED_SEC)
      // IBKR's own word that it has none is an answer.
      if (!REFUSED.has(toTidegateError(err).kind)) vain.add(note)
      log.warn({ calendar, hours, err }, 'its sessions could not be asked for: they count as unknown')
      return
    }
    vain.delete(note)
    const expires = contract.secType === 'FUT' ? contract.lastTradeDateOrContractMonth || realExpirationDate : ''
    const proven = provenSessions(answer.sessions, { end: isNow ? askedAt : past, isNow, expires })
    if (!isNow || !proven?.isCurrent) leave(note, STALE_SEC)
    if (!proven) return
    const sessions = proven.sessions.map((one) => ({ ...one, offsetSec: zoneOffsetSec(one.start, answer.zone) }))
    const { known, isCurrent } = proven
    if (isCurrent) untold.delete(`${calendar} ${hours}`)
    await store.putSessions({
      calendar,
      hours,
      zone: answer.zone,
      known,
      sessions,
      askedAt: isCurrent ? askedAt : undefined,
    })
  }

  /** Asks for a block, or waits for whoever asks for it already: where that may not be, the bridge gives both one answer. */
  function share(claim: Claim, calendar: string, block: number, note: string, signal: AbortSignal): Promise<void> {
    const key = `${calendar} ${claim.series.hours} ${block}`
    const running = open.get(key)
    if (running && mayCross) return running
    const asking = ask(claim, calendar, block, note, signal).finally(() => {
      if (open.get(key) === asking) open.delete(key)
    })
    open.set(key, asking)
    return asking
  }

  return {
    async around(claim, signal) {
      const { contract } = claim.instrument.details
      const { hours } = claim.series
      const calendar = calendarOf(contract)
      if (!calendar) return undefined
      const wanted = around(claim)
      let found = await store.sessions(calendar, hours, wanted)
      const missing = () =>
        missingBlocks(wanted, found, nowSec(), untold.has(`${calendar} ${hours}`) ? UNTOLD_SEC : STALE_SEC).map(
          (block) => ({ block, note: `${contract.conId} ${hours} ${block}` }),
        )
      // The first time another contract's question may be waited for, which need not have said enough for this one.
      for (let pass = 0; pass < 2; pass++) {
        const blocks = missing()
          .filter(({ note }) => (notes.get(note) ?? 0) <= nowSec())
          // Up to now only: ibkr-rules, "whatToShow", CONTFUT.
          .filter(({ block }) => contract.secType !== 'CONTFUT' || (block + 1) * BLOCK_SEC > nowSec())
        if (blocks.length === 0) break
        for (const { block, note } of blocks) await share(claim, calendar, block, note, signal)
        found = await store.sessions(calendar, hours, wanted)
      }
      const told = {
        start: wanted.start,
        end: Math.min(wanted.end, nowSec(), found.askedAt ?? Number.POSITIVE_INFINITY),
      }
      const isUnknown = told.start < told.end && subtract([told], found.known).length > 0
      return isUnknown && missing().some(({ note }) => vain.has(note)) ? { ...found, isUnasked: true } : found
    },

    renew({ instrument, series }) {
      const calendar = calendarOf(instrument.details.contract)
      if (calendar) untold.add(`${calendar} ${series.hours}`)
    },
  }
}

/** The time whose sessions decide about a chunk: its window, and where that is of dates, the days that may belong to them. */
function around({ window: { start, end }, series }: Claim): Window {
  return isDated(specOf(series)) ? { start: start - DAY_SEC, end: end + 1.5 * DAY_SEC } : { start, end }
}

/** The blocks to ask for what is not known of the window's past; the newest only where its answer is old by now. */
function missingBlocks(
  wanted: Window,
  { known, sessions, askedAt }: CalendarSessions,
  nowSec: number,
  staleSec: number,
): number[] {
  const past = { start: wanted.start, end: Math.min(wanted.end, nowSec) }
  const blocks = new Set<number>()
  for (const { start, end } of subtract([past], known)) {
    const last = Math.floor(Math.min(end - 1 + JOINT_SEC, nowSec - 1) / BLOCK_SEC)
    for (let block = Math.floor(start / BLOCK_SEC); block <= last; block++) blocks.add(block)
  }
  const closedSince = sessions.some((session) => session.end > (askedAt ?? 0) && session.end <= nowSec)
  const isFresh = askedAt !== undefined && nowSec - askedAt < staleSec && !closedSince
  return [...blocks].filter((block) => (block + 1) * BLOCK_SEC <= nowSec || !isFresh)
}
