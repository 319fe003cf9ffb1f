import type { CompletenessAnswer, SessionsAnswer } from '@tidegate/functions'
import { named, unavailableText } from './plan.ts'
import { type Column, datesOnly, instantCell, tableOf } from './table.ts'

const MAX_GAPS = 3

const COLUMNS: readonly Column[] = [
  { head: 'instrument' },
  { head: 'spec' },
  { head: 'hours', spare: 2, ifSame: true },
  { head: 'since (UTC)', short: datesOnly, spare: 1 },
  { head: 'sessions', align: 'right' },
  { head: 'complete', align: 'right' },
  { head: 'missing [start, end)', short: (cell) => datesOnly(cell).replaceAll(' to ', '/') },
  { head: 'flagged', align: 'right', spare: 3, ifSame: true },
]
const SESSION_COLUMNS: readonly Column[] = [
  { head: 'date' },
  { head: 'opens (UTC)' },
  { head: 'closes (UTC)' },
  { head: 'bars', align: 'right' },
  { head: 'of', align: 'right' },
  { head: 'state' },
  { head: 'flagged', align: 'right', spare: 1 },
]

/** The series that count: those that a dataset wants, or all of them where none does. */
export function judgedOf(series: readonly CompletenessAnswer[]): readonly CompletenessAnswer[] {
  const wanted = series.filter((one) => one.wanted)
  return wanted.length > 0 ? wanted : series
}

/** Whether nothing of what counts is missing, and something of it is due: of nothing nothing is proven. */
export function isProven(series: readonly CompletenessAnswer[]): boolean {
  const judged = judgedOf(series)
  return judged.every(({ complete }) => complete !== false) && judged.some(({ complete }) => complete === true)
}

/** Series as a table, those that no dataset wants apart, with what can't be had or is not known, and in a sentence what it comes to. */
export function coverageText(series: readonly CompletenessAnswer[], width: number | undefined): string {
  const judged = judgedOf(series)
  const apart = series.filter((one) => !judged.includes(one))
  const kept = `\nStored, and no dataset wants it; it does not count:\n${notedTable(apart, width)}`
  return `${notedTable(judged, width)}${verdictOf(judged)}${apart.length > 0 ? kept : ''}`
}

function notedTable(series: readonly CompletenessAnswer[], width: number | undefined): string {
  return `${tableOf(COLUMNS, series.map(rowOf), width)}${unavailableText({ series })}${unknownText(series)}`
}

function rowOf(one: CompletenessAnswer): (string | number)[] {
  const since = instantCell(one.window?.start)
  return [one.instrumentId, one.spec, one.hours, since, sessionsCell(one), shareCell(one), gapsCell(one), one.flagged]
}

function verdictOf(judged: readonly CompletenessAnswer[]): string {
  const open = judged.filter(({ complete }) => complete === false).length
  if (open > 0) return `${open} of ${judged.length} series ${open === 1 ? 'has' : 'have'} gaps.\n`
  if (!isProven(judged)) return 'Nothing of it is due yet.\n'
  return 'Complete: IBKR has answered everything that is due.\n'
}

/** Of what may be had; what never can be is told below. */
function sessionsCell({ sessions, window, complete, unavailable }: CompletenessAnswer): string {
  const { complete: whole, empty, partial, missing, open } = sessions
  const had = whole + empty
  const due = had + partial + missing
  if (complete === null) return 'not due yet'
  if (due > 0 || open > 0) return `${had.toLocaleString('en-US')} of ${due.toLocaleString('en-US')}`
  if (unavailable.length > 0) return 'none to be had'
  return window === null ? '–' : 'none known'
}

function shareCell({ percent }: CompletenessAnswer): string {
  return percent === null ? '–' : `${percent} %`
}

function gapsCell({ missing, gaps, window, complete }: CompletenessAnswer): string {
  if (window === null) return complete === null ? '–' : 'all of it: it was not asked for, or its beginning is not known'
  const lines = missing.slice(0, MAX_GAPS).map(({ start, end }) => `${instantCell(start)} to ${instantCell(end)}`)
  const more = gaps - lines.length
  return [...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n') || '–'
}

/** Time that is due and of which no sessions are known, a line for each. */
function unknownText(series: readonly CompletenessAnswer[]): string {
  const windows = new Map<string, string[]>()
  for (const { instrumentId, spec, unknown } of series) {
    for (const { start, end } of unknown) {
      const window = `${instantCell(start)} to ${instantCell(end)}`
      windows.set(window, [...(windows.get(window) ?? []), `${instrumentId} ${spec}`])
    }
  }
  return [...windows]
    .map(([window, names]) => `Sessions not known: ${named(names)}, ${window}; this time counts by its days.\n`)
    .join('')
}

/** The sessions of a series as a table. */
export function sessionsText({ sessions }: SessionsAnswer, width: number | undefined): string {
  if (sessions.length === 0) return 'No sessions are known.\n'
  const rows = sessions.map(({ date, opens, closes, expected, stored, state, flagged }) => [
    date,
    instantCell(opens),
    instantCell(closes),
    stored,
    expected,
    state,
    flagged,
  ])
  return tableOf(SESSION_COLUMNS, rows, width)
}
