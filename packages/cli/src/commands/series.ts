import type { SeriesAnswer } from '@tidegate/functions'
import type { Context } from '../context.ts'
import { instantCell, tableOf } from '../table.ts'
import { openTarget } from '../target.ts'

const MAX_WINDOWS = 3

export interface SeriesOptions {
  readonly timeoutMs: number
  readonly verbose: boolean
}

/** Prints what is stored and covered. */
export async function runSeries(context: Context, options: SeriesOptions): Promise<number> {
  const target = await openTarget(context, { ...options, need: 'stored' })
  try {
    context.out(seriesText(await target.client.series()))
    return 0
  } finally {
    await target.close()
  }
}

export function seriesText({ series }: SeriesAnswer): string {
  if (series.length === 0) return 'Nothing is stored yet.\n'
  const rows = series.map(({ instrumentId, spec, hours, bars, from, to, covered }) => [
    instrumentId,
    spec,
    hours,
    bars,
    instantCell(from),
    instantCell(to),
    coveredCell(covered),
  ])
  return tableOf(
    [
      { head: 'instrument' },
      { head: 'spec' },
      { head: 'hours' },
      { head: 'bars', align: 'right' },
      { head: 'from (UTC)' },
      { head: 'to (UTC)' },
      { head: 'covered [start, end)' },
    ],
    rows,
  )
}

function coveredCell(covered: SeriesAnswer['series'][number]['covered']): string {
  const lines = covered.slice(-MAX_WINDOWS).map(({ start, end }) => `${instantCell(start)} to ${instantCell(end)}`)
  const earlier = covered.length - lines.length
  return [...(earlier > 0 ? [`${earlier} earlier windows`] : []), ...lines].join('\n') || '–'
}
