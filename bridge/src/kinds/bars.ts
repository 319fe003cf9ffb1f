import { type BarColumns, sliceBars } from '@tidegate/core'
import { barsRequestSchema } from '@tidegate/relay'
import { defineKind } from './kind.ts'
import { ruleOf } from './rule.ts'

/** The relay's promise: no line holds more. */
const BARS_A_LINE = 1000

export const bars = defineKind({
  name: 'bars',
  path: '/v1/bars',
  need: 'history',
  inLines: true,
  schema: barsRequestSchema,
  rule: ({ contract, whatToShow, barSize }) => ruleOf('bars', contract, whatToShow, barSize),
  async ask(connection, { hours, end, ...request }, signal) {
    const { bars, empty, asOf, notices } = await connection.history(
      { ...request, end, regularHours: hours === 'regular' },
      signal,
    )
    const { length } = bars.t
    return {
      head: { barSize: request.barSize, whatToShow: request.whatToShow },
      chunks: () => barChunks(bars),
      done: { bars: length, empty, asOf, notices },
      size: length,
      empty,
      told: { bars: length },
    }
  },
})

/** Bars in pieces of a line each. */
export function* barChunks(bars: BarColumns): Generator<BarColumns> {
  for (let from = 0; from < bars.t.length; from += BARS_A_LINE) yield sliceBars(bars, from, from + BARS_A_LINE)
}
