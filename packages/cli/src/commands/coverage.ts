import type { Hours } from '@tidegate/core'
import type { CompletenessAnswer, SessionsAnswer } from '@tidegate/functions'
import type { Client, CoverageQuery } from '../client.ts'
import { coverageText, isProven, judgedOf, sessionsText } from '../completeness.ts'
import type { Context } from '../context.ts'
import { awayText } from '../health.ts'
import { jsonText } from '../json.ts'
import { withStored } from '../target.ts'

export interface CoverageOptions {
  /** What this dataset wants, since it wants it; undefined: whatever is stored. */
  readonly dataset?: string
  /** Instrument ids or bare names; undefined: all of it. */
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

/**
 * Says how complete series are: those that datasets want, or all that are found where none of them is wanted. Status 0 where
 * nothing of them that is due is missing, 1 otherwise, also where nothing is stored, or due at all.
 */
export function runCoverage(context: Context, options: CoverageOptions): Promise<number> {
  const { instruments, timeframes, sessions, json, verbose, ...window } = options
  const { out, err, columns } = context
  return withStored(context, verbose, async (client, url) => {
    const found: CompletenessAnswer[] = []
    let missing = 0
    for (const instrument of instruments ?? [undefined]) {
      for (const spec of timeframes ?? [undefined]) {
        const series = await allSeries(client, { ...window, instrument, spec })
        found.push(...series)
        if (series.length > 0) continue
        missing++
        const of = [window.dataset, instrument, spec].filter(Boolean).join(' ')
        err(`Nothing is stored${of ? ` of ${of}` : ' yet'}.\n`)
      }
    }
    const keys = judgedOf(found).map(({ instrumentId: instrument, spec, hours }) => ({
      ...window,
      instrument,
      spec,
      hours,
    }))
    if (json) {
      const listed = sessions ? { sessions: await Promise.all(keys.map((key) => allSessions(client, key))) } : {}
      out(jsonText({ series: found, ...listed }))
    } else if (found.length > 0) {
      out(coverageText(found, columns) + (await awayText(client, url)))
      for (const key of sessions ? keys : []) {
        out(`\n${key.instrument} ${key.spec}, ${key.hours} hours\n`)
        await printSessions(client, key, context)
      }
    }
    return missing === 0 && isProven(found) ? 0 : 1
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
