import type { Client, FetchBody } from './client.ts'
import type { Filled } from './fill.ts'
import { hinted } from './hint.ts'
import { storedIn } from './stored.ts'
import { type Column, datesOnly, instantCell, tableOf } from './table.ts'

/** The columns of what was fetched, a row a series. */
const SERIES_COLUMNS: readonly Column[] = [
  { head: 'instrument' },
  { head: 'spec' },
  { head: 'hours', spare: 1, ifSame: true },
  { head: 'bars', align: 'right' },
  { head: 'from (UTC)', short: datesOnly, spare: 2 },
  { head: 'to (UTC)', short: datesOnly, spare: 3 },
  { head: 'gaps', align: 'right' },
]

type Part = { readonly body: Pick<FetchBody, 'start' | 'end'>; readonly filled: Filled }

/** The table of what was fetched: every number is of the window that was asked for. */
export async function filledTable(client: Client, parts: readonly Part[], width: number | undefined): Promise<string> {
  const known = await client.series()
  const rows = await Promise.all(
    parts.flatMap(({ body: { start, end }, filled }) =>
      filled.series.map(async ({ gaps, instrumentId, spec, hours }) => {
        const { bars, from, to } = await storedIn(client, known, { instrumentId, spec, hours }, start, end)
        return [instrumentId, spec, hours, bars, instantCell(from), instantCell(to), gaps.length]
      }),
    ),
  )
  return rows.length === 0 ? '' : tableOf(SERIES_COLUMNS, rows, width)
}

/** What could not be done, a line each. */
export function troublesOf({ problems, series }: Pick<Filled, 'problems' | 'series'>, nowSec: number): string[] {
  const open = series.filter(({ gaps }) => gaps.length > 0)
  return [
    ...problems.map(({ instrument, error }) => `not fetched: ${hinted(error.message, [instrument], nowSec)}`),
    ...open.map(({ instrumentId, spec, gaps, error }) => {
      const first = gaps[0]
      const where = first ? `${instantCell(first.start)} to ${instantCell(first.end)}` : ''
      const others = gaps.length > 1 ? ` and ${gaps.length - 1} more` : ''
      return `gap left: ${instrumentId} ${spec}, ${where}${others}${error ? `: ${error}` : ''}`
    }),
  ]
}

/** Series whose newest end is not final yet, a line each; empty where there are none, or where nobody waited for it. */
export function pendingText(filled: readonly Pick<Filled, 'series' | 'interrupted'>[]): string {
  const series = filled.filter(({ interrupted }) => !interrupted).flatMap((one) => one.series)
  const open = series.filter(({ pending }) => pending.length > 0)
  if (open.length === 0) return ''
  const lines = open.map(({ instrumentId, spec, pending }) => {
    return `  ${instrumentId} ${spec} from ${instantCell(pending[0]?.start)}\n`
  })
  return `Not final yet by the gateway's clock, or silent so far (its market may be closed): no gap, and asked for again later.\n${lines.join('')}`
}
