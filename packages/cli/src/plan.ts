import { alignWindow, parseInstant, parseSpec } from '@tidegate/core'
import type { PlanAnswer } from '@tidegate/functions'
import { inWords } from './duration.ts'
import { problemsText } from './problem.ts'
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
const WEIGHT: Column = { head: 'weight', align: 'right', spare: 3 }

/** What a plan's time is due to, for a person. */
const BOUNDS: Readonly<Record<NonNullable<PlanAnswer['boundBy']>, string>> = {
  messages: 'the messages that IBKR takes in a second',
  'small bars': 'of bars up to 30 seconds IBKR answers a weight of 60 in ten minutes',
  'one contract': 'of one contract IBKR takes five such requests in two seconds',
  'open requests': 'the requests that are open at once, and what an answer takes',
}

/** What takes longest is worth telling from a minute on. */
const TOLD_SEC = 60
/** Instruments of one reason are counted beyond this many. */
const MOST_NAMED = 3

/** A plan as a table and in words. `end` is what was asked for, exclusive, ISO; undefined for up to now. */
export function planText(plan: PlanAnswer, end: string | undefined, width: number | undefined): string {
  if (plan.series.length === 0) return `There are no series in it yet.\n${problemsText(plan.problems)}`
  const columns = plan.weight > 0 ? [...COLUMNS, WEIGHT] : COLUMNS
  const rows = plan.series.map(({ instrumentId, spec, hours, wanted, gaps, requests, weight, isHeadUnknown }) => [
    instrumentId,
    spec,
    hours,
    isHeadUnknown ? 'not known yet' : instantCell(wanted?.start),
    wanted || isHeadUnknown ? instantCell(wanted?.end) : 'not final yet',
    isHeadUnknown ? '–' : gaps.length,
    isHeadUnknown ? '–' : requests,
    ...(plan.weight > 0 ? [weight] : []),
  ])
  const table = tableOf(columns, rows, width)
  const until = end === undefined ? '' : untilText(plan, end)
  return `${table}${totalText(plan)}${headlessText(plan)}${until}${clockText(plan, end)}${unavailableText(plan)}${refusalText(plan)}${problemsText(plan.problems)}Nothing was asked of the gateway.\n`
}

function totalText({ series, requests, weight, expectedSec, boundBy }: PlanAnswer): string {
  const known = series.filter(({ isHeadUnknown }) => !isHeadUnknown)
  if (known.length === 0) return ''
  if (known.every(({ wanted }) => !wanted)) return NOTHING_FINAL
  if (requests === 0) {
    return series.some(({ unavailable }) => unavailable.length > 0)
      ? 'There is nothing to ask.\n'
      : 'Everything is covered: a fetch would ask nothing.\n'
  }
  const weighing = weight > 0 ? ` of weight ${weight.toLocaleString('en-US')}` : ''
  const bound = boundBy && expectedSec >= TOLD_SEC ? `\nWhat takes longest: ${BOUNDS[boundBy]}.` : ''
  return (
    `${requests.toLocaleString('en-US')} request${requests === 1 ? '' : 's'}${weighing}; ` +
    `under IBKR's pacing that takes ${inWords(expectedSec)}.${bound}\n`
  )
}

/** That some series begin nobody knows yet where; empty where all do. */
function headlessText({ series, requests }: PlanAnswer): string {
  const count = series.filter(({ isHeadUnknown }) => isHeadUnknown).length
  if (count === 0) return ''
  const more = requests > 0 ? 'the requests for that come on top' : 'how many requests that takes is not known yet'
  return `IBKR has not said yet since when it has data of ${count} series: ${more}. The next tick asks.\n`
}

/** That nothing is asked behind the gateway's clock, where that is another time's and before `end` (ISO; undefined: now); empty where it is not. */
export function clockText({ gatewayTime }: PlanAnswer, end: string | undefined): string {
  if (gatewayTime === undefined || (end !== undefined && parseInstant(end) <= parseInstant(gatewayTime))) return ''
  return `The gateway's clock is at ${instantCell(gatewayTime)} UTC, as a replay's may be: what comes after it is not asked for.\n`
}

/** Why some series end earlier than asked; empty where none does, or nothing is final at all. */
function untilText({ series }: PlanAnswer, end: string): string {
  const cut = series.some(({ wanted, spec }) => {
    const whole = wanted && alignWindow({ start: parseInstant(wanted.start), end: parseInstant(end) }, parseSpec(spec))
    return whole && parseInstant(wanted.end) < whole.end
  })
  return cut ? `"until" is earlier than asked where the rest is not final yet.\n${FINAL}\n` : ''
}

/** What of a plan can never be had, a line for each reason; empty where all can be. */
export function unavailableText({
  series,
}: {
  readonly series: readonly Pick<PlanAnswer['series'][number], 'instrumentId' | 'spec' | 'unavailable'>[]
}): string {
  const reasons = new Map<string, string[]>()
  for (const { instrumentId, spec, unavailable } of series) {
    for (const { windows, why } of unavailable) {
      const first = windows[0]
      const last = windows.at(-1)
      if (!first || !last) continue
      const reason = `${instantCell(first.start)} to ${instantCell(last.end)}: ${why}`
      const names = reasons.get(reason) ?? []
      names.push(`${instrumentId} ${spec}`)
      reasons.set(reason, names)
    }
  }
  return [...reasons].map(([reason, names]) => `Not to be had: ${named(names)}, ${reason}.\n`).join('')
}

/** What IBKR has refused so far for want of permission, a line each; empty where nothing was. */
function refusalText({ series }: PlanAnswer): string {
  const refusals = new Map<string, string[]>()
  for (const { instrumentId, requests, refusal } of series) {
    if (!refusal || requests === 0) continue
    const said = `IBKR said on ${instantCell(refusal.at)} of ${refusal.spec}: ${refusal.message}`
    const names = refusals.get(said) ?? []
    names.push(instrumentId)
    refusals.set(said, names)
  }
  return [...refusals].map(([said, names]) => `No permission so far: ${named([...new Set(names)])}. ${said}\n`).join('')
}

/** The first of them, and how many more there are. */
export function named(names: readonly string[]): string {
  const more = names.length - MOST_NAMED
  return `${names.slice(0, MOST_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
