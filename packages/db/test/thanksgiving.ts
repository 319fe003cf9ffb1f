import { parseInstant, type Session, type Window } from '@tidegate/core'
import type { SeriesFilter, SeriesKey } from '@tidegate/db'
import { beforeEach } from 'vitest'
import { DEFINITION, details, NOW, type Subject } from './fixture.ts'

export const at = parseInstant
/** New York, the week of Thanksgiving: Thursday a holiday, Friday a half day. */
export const WEEK: readonly Session[] = [
  ['2026-11-23', '21:00'],
  ['2026-11-24', '21:00'],
  ['2026-11-25', '21:00'],
  ['2026-11-27', '18:00'],
  ['2026-11-30', '21:00'],
].map(([date = '', close]) => ({ date, start: at(`${date}T14:30Z`), end: at(`${date}T${close}Z`), offsetSec: -18_000 }))
export const SPAN: Window = { start: at('2026-11-23'), end: at('2026-12-01') }

/** Stored before each test: an instrument and that week of its calendar. */
export function openWeek({ store }: Pick<Subject, 'store'>) {
  beforeEach(async () => {
    await store.putInstrument('AAPL.NASDAQ', details('AAPL'), NOW)
    const known = { start: at('2026-11-20T21:00Z'), end: at('2026-11-30T21:00Z') }
    await store.putSessions({
      calendar: 'STK NASDAQ',
      hours: 'regular',
      zone: 'US/Eastern',
      known,
      sessions: WEEK,
      askedAt: at('2026-12-01'),
    })
  })

  return {
    async seriesOf(spec: string, more: Partial<SeriesKey> = {}): Promise<number> {
      const key = { instrumentId: 'AAPL.NASDAQ', hours: 'regular', spec, ...more } as const
      return (await store.ensureSeries([key]))[0]?.id ?? 0
    },

    judged: async (seriesId: number, { start, end }: Window = SPAN, now = SPAN.end) =>
      (await store.completeness([{ seriesId, start, until: end }], now))[0],

    series: (filter: SeriesFilter = {}, now = SPAN.end) => store.judgedSeries(filter, { after: 0, limit: 10 }, { now }),

    async declare(name: string, since: string, specs: readonly string[] = ['1-DAY-LAST']): Promise<void> {
      const definition = { ...DEFINITION, name, since, specs }
      await store.putDataset(definition, NOW)
      await store.linkDataset(definition)
    },
  }
}
