import { sliceTicks, type TickColumns, ticksRequestSchema } from '@tidegate/relay'
import { defineKind } from './kind.ts'
import { ruleOf } from './rule.ts'

const TICKS_A_LINE = 1000

export const ticks = defineKind({
  name: 'ticks',
  path: '/v1/ticks',
  need: 'history',
  inLines: true,
  schema: ticksRequestSchema,
  rule: ({ contract, whatToShow }) => ruleOf('ticks', contract, whatToShow),
  async ask(connection, { hours, start, end, ...request }, signal) {
    const answer = await connection.ticks({ ...request, start, end, regularHours: hours === 'regular' }, signal)
    const { empty, asOf, notices } = answer
    const page = wholeSeconds(answer.ticks, { start, end, count: request.count, asOf })
    const { length } = page.t
    const [first] = page.t
    const last = page.t.at(-1)
    return {
      head: { whatToShow: request.whatToShow },
      chunks: () => tickChunks(page),
      done: { ticks: length, empty, asOf, next: start === undefined ? first : last && last + 1, notices },
      size: length,
      empty,
      told: { ticks: length },
    }
  },
})

/**
 * The ticks of the seconds that the answer holds in full, for only whole seconds can be stored and asked again: none
 * outside what was asked, none of a second that had not ended, and of a full page that was read backward none of its
 * first second, at which it was cut (unless there is no other). Forward, IBKR completes the last second itself.
 */
function wholeSeconds(
  ticks: TickColumns,
  { start = 0, end, count, asOf }: { start?: number; end?: number; count: number; asOf: number },
): TickColumns {
  const { t } = ticks
  const before = Math.min(end ?? asOf, asOf)
  const [first = 0] = t
  const isCut = end !== undefined && t.length >= count && first !== t.at(-1)
  const from = t.findIndex((sec) => sec >= start && !(isCut && sec === first))
  const to = t.findLastIndex((sec) => sec < before) + 1
  return sliceTicks(ticks, from < 0 ? to : from, to)
}

function* tickChunks(ticks: TickColumns): Generator<TickColumns> {
  for (let from = 0; from < ticks.t.length; from += TICKS_A_LINE) yield sliceTicks(ticks, from, from + TICKS_A_LINE)
}
