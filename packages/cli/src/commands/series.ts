import type { SeriesAnswer } from '@tidegate/functions'
import type { Context } from '../context.ts'
import { jsonText } from '../json.ts'
import { type Column, datesOnly, instantCell, tableOf } from '../table.ts'
import { withStored } from '../target.ts'

const MAX_WINDOWS = 3

const COLUMNS: readonly Column[] = [
  { head: 'instrument' },
  { head: 'spec' },
  { head: 'hours', spare: 3, ifSame: true },
  { head: 'bars', align: 'right' },
  { head: 'from (UTC)', short: datesOnly, spare: 1 },
  { head: 'to (UTC)', short: datesOnly, spare: 2 },
  { head: 'covered [start, end)', short: (cell) => datesOnly(cell).replaceAll(' to ', '/') },
]

export interface SeriesOptions {
  /** An instrument id or a bare name; undefined: all of them. */
  readonly instrument: string | undefined
  readonly json: boolean
  readonly verbose: boolean
}

/** Prints what is stored and covered. */
export function runSeries(context: Context, { instrument, json, verbose }: SeriesOptions): Promise<number> {
  return withStored(context, verbose, async (client) => {
    const series = await client.series(instrument)
    context.out(json ? jsonText(series) : seriesText(series, context.columns, instrument))
    return 0
  })
}

export function seriesText({ series }: SeriesAnswer, width: number | undefined, instrument?: string): string {
  if (series.length === 0) return instrument ? `Nothing is stored of ${instrument} yet.\n` : 'Nothing is stored yet.\n'
  const rows = series.map(({ instrumentId, spec, hours, bars, from, to, covered }) => [
    instrumentId,
    spec,
    hours,
    bars,
    instantCell(from),
    instantCell(to),
    coveredCell(covered),
  ])
  return tableOf(COLUMNS, rows, width)
}

function coveredCell(covered: SeriesAnswer['series'][number]['covered']): string {
  const lines = covered.slice(-MAX_WINDOWS).map(({ start, end }) => `${instantCell(start)} to ${instantCell(end)}`)
  const earlier = covered.length - lines.length
  return [...(earlier > 0 ? [`${earlier} earlier windows`] : []), ...lines].join('\n') || '–'
}
