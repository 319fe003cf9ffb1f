import type { Filled } from './fill.ts'
import { instantCell } from './table.ts'

/** The columns of what was fetched, a row a series. */
export const SERIES_COLUMNS = [
  { head: 'instrument' },
  { head: 'spec' },
  { head: 'hours' },
  { head: 'bars', align: 'right' },
  { head: 'from (UTC)' },
  { head: 'to (UTC)' },
  { head: 'gaps', align: 'right' },
] as const

/** What could not be done, a line each. */
export function troublesOf({ problems, series }: Filled): string[] {
  const open = series.filter(({ gaps }) => gaps.length > 0)
  return [
    ...problems.map(({ error }) => `not fetched: ${error.message}`),
    ...open.map(({ instrumentId, spec, gaps, error }) => {
      const first = gaps[0]
      const where = first ? `${instantCell(first.start)} to ${instantCell(first.end)}` : ''
      const others = gaps.length > 1 ? ` and ${gaps.length - 1} more` : ''
      return `gap left: ${instrumentId} ${spec}, ${where}${others}${error ? `: ${error}` : ''}`
    }),
  ]
}

/** Series whose newest end is silent so far, in one line; empty where there are none, or where nobody waited for it. */
export function pendingText(filled: readonly Pick<Filled, 'series' | 'interrupted'>[]): string {
  const series = filled.filter(({ interrupted }) => !interrupted).flatMap((one) => one.series)
  const open = series.filter(({ pending }) => pending.length > 0)
  if (open.length === 0) return ''
  const parts = open.map(({ instrumentId, spec, pending }) => {
    return `${instrumentId} ${spec} from ${instantCell(pending[0]?.start)}`
  })
  return `Silent so far at the newest end, which is believed only later and asked for again: ${parts.join(', ')}.\n`
}
