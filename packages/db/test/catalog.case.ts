import { describe, expect, it } from 'vitest'
import { anySeries, DEFINITION, details, NOW, type Subject } from './fixture.ts'

const ODD_NAMES = [`O'Brien "x" \\ n`, 'Ünïcødé 日本 🌊', '{a,b},NULL', '$1; drop table series --', `x'::text`]

/** Instruments, series and the origin. */
export function describeCatalog({ store }: Subject): void {
  describe('instruments', () => {
    it('are found by id and by the names they were asked for by, and replaced by newer details', async () => {
      await store.putInstrument('AAPL.NASDAQ', details('AAPL'), NOW, 'AAPL')
      await store.putInstrument('AAPL.NASDAQ', details('AAPL', { longName: 'Apple' }), NOW + 5)
      const expected = { id: 'AAPL.NASDAQ', details: details('AAPL', { longName: 'Apple' }), updatedAt: NOW + 5 }
      expect(await store.instrument('AAPL.NASDAQ')).toEqual(expected)
      expect(await store.instrument('AAPL')).toEqual(expected)
      expect(await store.instrument('MSFT')).toBeUndefined()
    })

    it('are found by id before any alias', async () => {
      await store.putInstrument('ONE.NYSE', details('ONE'), NOW)
      await store.putInstrument('TWO.NYSE', details('TWO'), NOW, 'ONE.NYSE')
      expect((await store.instrument('ONE.NYSE'))?.id).toBe('ONE.NYSE')
    })

    it('are found by all of their id but the venue, however many there are', async () => {
      for (const id of ['SPY.ARCA', 'SPY.LSE', 'SPYG.ARCA', 'S%Y.ARCA'])
        await store.putInstrument(id, details('SPY'), NOW)
      expect(await store.instrumentIds('SPY')).toEqual(['SPY.ARCA', 'SPY.LSE'])
      expect(await store.instrumentIds('SPY.LSE')).toEqual(['SPY.LSE'])
      expect(await store.instrumentIds('S%Y')).toEqual(['S%Y.ARCA'])
      expect(await store.instrumentIds('SP')).toEqual([])
    })

    it('move an alias to the instrument that it was given last', async () => {
      await store.putInstrument('ONE.NYSE', details('ONE'), NOW, 'X')
      await store.putInstrument('TWO.NYSE', details('TWO'), NOW, 'X')
      expect((await store.instrument('X'))?.id).toBe('TWO.NYSE')
    })

    it.each(ODD_NAMES)('keep the name %s as it is', async (name) => {
      await store.putInstrument(name, details('X', { longName: name }), NOW, `alias ${name}`)
      expect((await store.instrument(`alias ${name}`))?.details.longName).toBe(name)
      const [series] = await store.ensureSeries([{ instrumentId: name, spec: name, hours: 'all' }])
      expect(series).toMatchObject({ instrumentId: name, spec: name })
      expect((await store.series({ instrumentIds: [name], specs: [name] })).map((s) => s.instrumentId)).toEqual([name])
      const dataset = { ...DEFINITION, name, instruments: [name] }
      await store.putDataset(dataset, NOW)
      expect((await store.datasets()).map(({ definition }) => definition)).toEqual([dataset])
    })
  })

  describe('series', () => {
    it('are made once and come back in the order asked, repeats included', async () => {
      await anySeries(store, 'AAPL')
      await anySeries(store, 'MSFT')
      const key = (symbol: string, spec = '1-DAY-LAST') => ({
        instrumentId: `${symbol}.NASDAQ`,
        spec,
        hours: 'regular' as const,
      })
      const keys = [key('MSFT'), key('AAPL'), key('MSFT'), key('AAPL', '1-HOUR-LAST')]
      const first = await store.ensureSeries(keys)
      expect(first.map(({ id: _, ...rest }) => rest)).toEqual(keys)
      expect(first[0]?.id).toBe(first[2]?.id)
      expect(await store.ensureSeries(keys)).toEqual(first)
      expect(await store.ensureSeries([])).toEqual([])
    })

    it('need their instrument: `internal`, naming what is missing, and none is made', async () => {
      await anySeries(store)
      const before = await store.series()
      const keys = ['AAPL.NASDAQ', 'NONE.NASDAQ'].map((instrumentId) => ({
        instrumentId,
        spec: '1-DAY-LAST',
        hours: 'all' as const,
      }))
      await expect(store.ensureSeries(keys)).rejects.toMatchObject({ kind: 'internal' })
      expect(await store.series()).toEqual(before)
    })
  })

  it('is stamped once: the first origin stays', async () => {
    const stamps = await Promise.all([store.stampOrigin('simulated'), store.stampOrigin('simulated')])
    expect(stamps).toEqual(['simulated', 'simulated'])
    expect(await store.stampOrigin('gateway')).toBe('simulated')
  })

  it('answers', async () => {
    await expect(store.ping()).resolves.toBeUndefined()
  })
}
