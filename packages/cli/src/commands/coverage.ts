import type { Hours } from '@tidegate/core'
import type { CompletenessAnswer, SessionsAnswer } from '@tidegate/functions'
import type { Client, CoverageQuery } from '../client.ts'
import type { Context } from '../context.ts'
import { jsonText } from '../json.ts'
import { type Column, datesOnly, instantCell, tableOf } from '../table.ts'
import { withStored } from '../target.ts'

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

export interface CoverageOptions {
  /** Instrument ids or bare names; undefined: all that is stored. */
  readonly instruments: readonly string[] | undefined
  readonly timeframes: readonly string[] | undefined
  readonly hours?: Hours
  readonly start?: string
  readonly end?: string
  readonly sessions: boolean
  readonly json: boolean
  readonly verbose: boolean
}

type SeriesQuery = CoverageQuery & Pick<Required<CoverageQuery>, 'instrument' | 'spec' | 'hours'>

/** Says how complete series are. Status 0 where nothing that is due is missing, 1 otherwise, also where nothing is stored. */
export function runCoverage(context: Context, options: CoverageOptions): Promise<number> {
  const { instruments, timeframes, sessions, json, verbose, ...window } = options
  const { out, err, columns } = context
  return withStored(context, verbose, async (client) => {
    const found: CompletenessAnswer[] = []
    let missing = 0
    for (const instrument of instruments ?? [undefined]) {
      for (const spec of timeframes ?? [undefined]) {
        const series = await allSeries(client, { ...window, instrument, spec })
        found.push(...series)
        if (series.length > 0) continue
        missing++
        err(`Nothing is stored${instrument ? ` of ${[instrument, spec].filter(Boolean).join(' ')}` : ' yet'}.\n`)
      }
    }
    const keys = found.map(({ instrumentId: instrument, spec, hours }) => ({ ...window, instrument, spec, hours }))
    if (json) {
      const listed = sessions ? { sessions: await Promise.all(keys.map((key) => allSessions(client, key))) } : {}
      out(jsonText({ series: found, ...listed }))
    } else if (found.length > 0) {
      out(coverageText(found, columns))
      for (const key of sessions ? keys : []) {
        out(`\n${key.instrument} ${key.spec}, ${key.hours} hours\n`)
        await printSessions(client, key, context)
      }
    }
    return missing === 0 && found.every(({ complete }) => complete) ? 0 : 1
  })
}

async function allSeries(client: Client, query: CoverageQuery): Promise<CompletenessAnswer[]> {
  const found: CompletenessAnswer[] = []
  for (let after: number | null = 0; after !== null; ) {
    const page = await client.coverage({ ...query, after })
    found.push(...page.series)
    after = page.next
  }
  return found
}

/** Page by page, so that a decade of sessions is shown as it comes. */
async function printSessions(client: Client, query: CoverageQuery, { out, columns, signal }: Context): Promise<void> {
  for await (const page of sessionPages(client, query)) {
    if (signal.aborted) return
    out(sessionsText(page, columns))
  }
}

/** The sessions of one series as one answer. */
async function allSessions(client: Client, { instrument, spec, hours, ...query }: SeriesQuery) {
  const sessions: SessionsAnswer['sessions'][number][] = []
  for await (const page of sessionPages(client, { ...query, instrument, spec, hours })) sessions.push(...page.sessions)
  return { instrumentId: instrument, spec, hours, sessions }
}

async function* sessionPages(client: Client, query: CoverageQuery): AsyncGenerator<SessionsAnswer> {
  for (let start: string | null | undefined = query.start; start !== null; ) {
    const page: SessionsAnswer = await client.sessions({ ...query, start })
    yield page
    start = page.next
  }
}

/** Series as a table, and in a sentence what it comes to. */
export function coverageText(series: readonly CompletenessAnswer[], width: number | undefined): string {
  const rows = series.map((one) => {
    const { complete, empty, unavailable, partial, missing } = one.sessions
    const answered = complete + empty + unavailable
    return [
      one.instrumentId,
      one.spec,
      one.hours,
      instantCell(one.window?.start),
      `${answered} of ${answered + partial + missing}`,
      shareCell(one),
      gapsCell(one),
      one.flagged,
    ]
  })
  const open = series.filter(({ complete }) => !complete).length
  const verdict =
    open === 0
      ? 'Complete: IBKR has answered everything that is due.\n'
      : `${open} of ${series.length} series ${open === 1 ? 'has' : 'have'} gaps.\n`
  return `${tableOf(COLUMNS, rows, width)}${verdict}`
}

function shareCell({ percent, complete, window }: CompletenessAnswer): string {
  if (percent !== null) return `${percent} %`
  if (window === null) return '–'
  // No sessions are known: the windows alone say it.
  return complete ? 'yes' : 'no'
}

function gapsCell({ missing, gaps, window }: CompletenessAnswer): string {
  if (window === null) return 'all of it'
  const lines = missing.slice(0, MAX_GAPS).map(({ start, end }) => `${instantCell(start)} to ${instantCell(end)}`)
  const more = gaps - lines.length
  return [...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n') || '–'
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
