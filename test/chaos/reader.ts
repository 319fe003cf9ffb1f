import { COLUMNS, formatInstant } from '@tidegate/core'
import type { SeriesSummary, Store } from '@tidegate/db'
import type { BarsAnswer } from '@tidegate/functions'
import { columnsOf, nameOf } from './compare.ts'
import type { Dice } from './dice.ts'
import type { Functions } from './functions.ts'
import type { Logins } from './logins.ts'
import type { Scales } from './scales.ts'
import type { Story } from './story.ts'
import type { Time } from './time.ts'
import { truthQuery } from './wanted.ts'

/** A series of more bars is not read: a run is to take seconds. */
const MOST_BARS = 6000

/** Somebody who reads a whole series now and then, and finds all of it right and of one scale, whatever is under way. */
export interface Reader {
  read(): Promise<void>
  /** What was wrong; nothing, if all was well. */
  readonly faults: readonly string[]
  readonly reads: () => number
}

interface Parts {
  readonly time: Time
  readonly dice: Dice
  readonly story: Story
  readonly store: Store
  readonly functions: Functions
  readonly logins: Logins
  readonly scales: Scales
}

export function createReader({ time, dice, story, store, functions, logins, scales }: Parts): Reader {
  const faults: string[] = []
  let reads = 0

  /** What is wrong with bars that are of no one scale; undefined where all of them are of one. */
  function check(series: SeriesSummary, { t, ...rest }: BarsAnswer['bars']): string | undefined {
    const { instrumentId, spec, hours } = series
    const nowSec = Math.floor(time.now() / 1000)
    const window = { start: t[0] ?? 0, end: (t.at(-1) ?? 0) + 1 }
    const bars = { t, ...rest }
    const found = scales.endsOf(spec, nowSec).map((end) => {
      const truth = columnsOf(logins.truthAt(end, truthQuery(instrumentId, spec, hours, window)))
      const at = new Map(truth.t.map((sec, i) => [sec, i]))
      const first = t.findIndex((sec, i) => COLUMNS.some((key) => truth[key][at.get(sec) ?? -1] !== bars[key][i]))
      return { end, first }
    })
    if (found.some(({ first }) => first < 0)) return undefined
    const told = found.map(({ end, first }) => `${formatInstant(t[first] ?? 0)} not as of ${formatInstant(end)}`)
    return `${nameOf(series)}, read at ${formatInstant(nowSec)}, is of no one scale: ${told.join(', ')}`
  }

  return {
    faults,
    reads: () => reads,
    async read() {
      const all = (await store.series()).filter(({ bars }) => bars > 0 && bars <= MOST_BARS)
      if (all.length === 0) return
      const series = dice.pick(all)
      const { instrumentId: instrument, spec, hours } = series
      const query = new URLSearchParams({
        instrument,
        spec,
        hours,
        start: '2000-01-01',
        end: '2030-01-01',
        limit: '50000',
      })
      const answer = await functions.call<BarsAnswer>('GET', `/v1/bars?${query}`)
      if (!answer) return
      reads++
      story.tell(`read ${answer.bars.t.length} bars of ${nameOf(series)}`)
      const fault = check(series, answer.bars)
      if (fault) faults.push(fault)
    },
  }
}
