import { alignWindow, parseInstant, parseSpec } from '@tidegate/core'
import type { PlanAnswer } from '@tidegate/functions'
import { inWords } from './duration.ts'
import { type Column, datesOnly, instantCell, tableOf } from './table.ts'

const FINAL =
  'A bar is final once it has closed, a daily one once its venue’s day is over, and a future’s a day later, when it is settled.'

/** Said of a window of which no bar is final. */
export const NOTHING_FINAL = `Nothing of it is final yet.\n${FINAL}\n`

const COLUMNS: readonly Column[] = [
  { head: 'instrument' },
  { head: 'spec' },
  { head: 'hours', spare: 1, ifSame: true },
  { head: 'from (UTC)', short: datesOnly, spare: 2 },
  { head: 'until (UTC)', short: datesOnly },
  { head: 'gaps', align: 'right' },
  { head: 'requests', align: 'right' },
]

/** A plan as a table and in words. `end` is what was asked for, exclusive, ISO. */
export function planText(plan: PlanAnswer, end: string, width: number | undefined): string {
  const rows = plan.series.map(({ instrumentId, spec, hours, wanted, gaps, requests }) => [
    instrumentId,
    spec,
    hours,
    instantCell(wanted?.start),
    wanted ? instantCell(wanted.end) : 'not final yet',
    gaps.length,
    requests,
  ])
  return `${tableOf(COLUMNS, rows, width)}${totalText(plan)}${untilText(plan, end)}Nothing was asked of the gateway.\n`
}

function totalText({ series, requests, expectedSec }: PlanAnswer): string {
  if (series.every(({ wanted }) => !wanted)) return NOTHING_FINAL
  if (requests === 0) return 'Everything is covered: a fetch would ask nothing.\n'
  return (
    `${requests.toLocaleString('en-US')} request${requests === 1 ? '' : 's'}; ` +
    `under IBKR's pacing that takes ${inWords(expectedSec)}, and the gateway's own time.\n`
  )
}

/** Why some series end earlier than asked; empty where none does, or nothing is final at all. */
function untilText({ series }: PlanAnswer, end: string): string {
  const cut = series.some(({ wanted, spec }) => {
    const whole = wanted && alignWindow({ start: parseInstant(wanted.start), end: parseInstant(end) }, parseSpec(spec))
    return whole && parseInstant(wanted.end) < whole.end
  })
  return cut ? `"until" is earlier than asked where the rest is not final yet.\n${FINAL}\n` : ''
}
