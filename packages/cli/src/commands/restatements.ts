import type { AdjustmentsAnswer, RestatementsAnswer } from '@tidegate/functions'
import type { RestatementsQuery } from '../client.ts'
import type { Context } from '../context.ts'
import { jsonText } from '../json.ts'
import { type Column, datesOnly, instantCell, tableOf } from '../table.ts'
import { withStored } from '../target.ts'

/** Digits of a ratio that is not one of small whole numbers. */
const DIGITS = 6

const SPLITS: readonly Column[] = [
  { head: 'split', align: 'right' },
  { head: 'instrument' },
  { head: 'spec' },
  { head: 'hours', spare: 3, ifSame: true },
  { head: 'price ×', align: 'right' },
  { head: 'bars before (UTC)', short: datesOnly },
  { head: 'found (UTC)', short: datesOnly, spare: 1 },
  { head: 'state' },
  { head: 'chunks', align: 'right', spare: 2 },
]
const BARS: readonly Column[] = [
  { head: 'instrument', spare: 4, ifSame: true },
  { head: 'spec', spare: 5, ifSame: true },
  { head: 'hours', spare: 3, ifSame: true },
  { head: 'bar (UTC)' },
  { head: 'open, high, low, close before', align: 'right' },
  { head: 'after', align: 'right' },
  { head: 'changed (UTC)', short: datesOnly, spare: 1 },
  { head: 'split', align: 'right', spare: 2 },
]

export interface RestatementsOptions extends RestatementsQuery {
  readonly json: boolean
  readonly verbose: boolean
}

/** Lists the splits that were found, and the stored bars that came otherwise later, the newest first. */
export function runRestatements(context: Context, { json, verbose, ...query }: RestatementsOptions): Promise<number> {
  return withStored(context, verbose, async (client) => {
    const { since: _since, ...series } = query
    const { adjustments } = await client.adjustments(series)
    const { restatements } = await client.restatements(query)
    const told = { adjustments, restatements }
    context.out(json ? jsonText(told) : restatementsText(told, context.columns))
    return 0
  })
}

/** Gives up what is being collected again after a split. Status 0 also for one that was given up before; throws for one that is in place. */
export function runAbandon(context: Context, id: string, { verbose }: { verbose: boolean }): Promise<number> {
  return withStored(context, verbose, async (client) => {
    const { instrumentId, spec, hours, before } = await client.abandonAdjustment(id)
    const series = `${instrumentId} ${spec}, ${hours} hours`
    context.out(
      `Split ${id} is given up: what is stored of ${series}, before ${instantCell(before)} stays as it was.\n`,
    )
    return 0
  })
}

/** Splits and bars as tables, and what went wrong, a line each. */
export function restatementsText(
  { adjustments, restatements }: AdjustmentsAnswer & RestatementsAnswer,
  width: number | undefined,
): string {
  if (adjustments.length === 0 && restatements.length === 0) return 'IBKR has told nothing anew.\n'
  const splits = adjustments.map((one) => {
    const { open, done, failed } = one.chunks
    return [
      String(one.id),
      one.instrumentId,
      one.spec,
      one.hours,
      String(Number(one.ratio.toFixed(DIGITS))),
      instantCell(one.before),
      instantCell(one.foundAt),
      one.state,
      `${done} of ${open + done + failed}`,
    ]
  })
  const errors = adjustments.flatMap(({ id, state, since, error }) => [
    ...(state !== 'applied' && error ? [`Split ${id}: ${error.message}\n`] : []),
    ...(state !== 'abandoned' && since
      ? [`Split ${id}: what starts before ${instantCell(since)} stays as it was.\n`]
      : []),
  ])
  const bars = restatements.map((one) => [
    one.instrumentId,
    one.spec,
    one.hours,
    instantCell(one.t),
    pricesCell(one.old),
    pricesCell(one.new),
    instantCell(one.at),
    one.adjustment === null ? '–' : String(one.adjustment),
  ])
  const splitsText = splits.length > 0 ? `${tableOf(SPLITS, splits, width)}${errors.join('')}` : ''
  return `${splitsText}${bars.length > 0 ? tableOf(BARS, bars, width) : ''}`
}

function pricesCell({ open, high, low, close }: RestatementsAnswer['restatements'][number]['old']): string {
  return [open, high, low, close].join(' ')
}
