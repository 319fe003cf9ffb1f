import { expect, it } from 'vitest'
import { DAY_SEC, HOUR_SEC, NOT_FOUND, openDatasets } from './declared.ts'
import { barsAt, DEFINITION, details, fill, filled, NOW, type Subject, T0, windowOf } from './fixture.ts'

const SINCE = Date.UTC(2024, 0, 2) / 1000

/** Declared wants, and the series that they come to. */
export function describeDeclaring({ store }: Subject): void {
  const { declared, state } = openDatasets({ store })
  const specs = async (name?: string) => (await state(name))?.series.map((s) => `${s.instrumentId} ${s.spec}`)

  it('is idempotent: the same definition again changes nothing, another replaces it and is due at once', async () => {
    expect(await store.putDataset(DEFINITION, NOW)).toEqual({ created: true, changed: true })
    const first = await store.datasets()
    expect(first).toEqual([
      {
        name: 'stocks',
        definition: DEFINITION,
        ...{ since: SINCE, paused: false, dueAt: NOW, createdAt: NOW, updatedAt: NOW },
      },
    ])
    await store.advance([{ name: 'stocks', from: NOW, to: NOW + HOUR_SEC }], NOW)
    expect(await store.putDataset({ ...DEFINITION }, NOW + 5)).toEqual({ created: false, changed: false })
    expect(await store.datasets()).toEqual([{ ...first[0], dueAt: NOW + HOUR_SEC }])
    const other = { ...DEFINITION, priority: 'backfill' as const }
    expect(await store.putDataset(other, NOW + 9)).toEqual({ created: false, changed: true })
    expect(await store.datasets()).toMatchObject([{ definition: other, dueAt: NOW + 9, updatedAt: NOW + 9 }])
  })

  it('is changed from what it was read as alone: of several at once one gets through', async () => {
    const to = (spec: string) => ({ ...DEFINITION, specs: [spec], instruments: ['MSFT.NASDAQ'] })
    expect(await store.changeDataset(DEFINITION, to('5MIN'), NOW)).toBe('outdated')
    await store.putDataset(DEFINITION, NOW)
    await store.linkDataset(DEFINITION)
    expect(await store.changeDataset(DEFINITION, { ...DEFINITION }, NOW + 5)).toBe('same')
    expect(await store.datasets('stocks')).toMatchObject([{ dueAt: NOW, updatedAt: NOW }])
    const wanted = ['5MIN', '1HOUR', 'DAILY'].map(to)
    const became = await Promise.all(wanted.map((one) => store.changeDataset(DEFINITION, one, NOW + 9)))
    expect([...became].sort()).toEqual(['changed', 'outdated', 'outdated'])
    const definition = wanted[became.indexOf('changed')]
    expect(await store.datasets('stocks')).toMatchObject([{ definition, dueAt: NOW + 9, updatedAt: NOW + 9 }])
    expect((await state())?.unresolved.map(({ name }) => name)).toEqual(['MSFT.NASDAQ'])
    expect((await store.datasetNow('stocks', NOW))?.linked).toBe(false)
    expect(await store.datasets('other')).toEqual([])
  })

  it('counts a relative beginning from the day it was declared, and keeps it as long as its text stays', async () => {
    const back = { ...DEFINITION, since: '90d' }
    const began = Math.floor(NOW / DAY_SEC) * DAY_SEC - 90 * DAY_SEC
    await store.putDataset(back, NOW)
    await store.putDataset({ ...back, specs: ['5MIN'] }, NOW + 10 * DAY_SEC)
    expect((await store.datasets())[0]?.since).toBe(began)
    await store.putDataset({ ...back, since: '91d' }, NOW + 10 * DAY_SEC)
    expect((await store.datasets())[0]?.since).toBe(began + 9 * DAY_SEC)
    await store.putDataset({ ...back, since: 'head' }, NOW)
    expect((await store.datasets())[0]?.since).toBeUndefined()
  })

  it('makes a series of every instrument and spec that go together, once', async () => {
    await declared({ instruments: ['AAPL.NASDAQ', 'MSFT.NASDAQ'], specs: ['1MIN', '1-MINUTE-LAST', 'DAILY'] })
    const expected = ['AAPL', 'MSFT'].flatMap((s) => [`${s}.NASDAQ 1-MINUTE-LAST`, `${s}.NASDAQ 1-DAY-LAST`])
    expect((await specs())?.sort()).toEqual(expected.sort())
    await declared({ name: 'pairs', instruments: ['EUR/USD.IDEALPRO'], specs: ['1MIN', '1-DAY-LAST'] }, 'CASH')
    expect(await specs('pairs')).toEqual(['EUR/USD.IDEALPRO 1-MINUTE-MID'])
  })

  it('that names less lets go of the rest, and leaves what is stored of it', async () => {
    await declared({ instruments: ['AAPL.NASDAQ', 'MSFT.NASDAQ'], specs: ['1MIN', '5MIN'] })
    const [first] = (await state())?.series ?? []
    const hour = windowOf(T0, 60)
    await fill(store, first?.id ?? 0, hour, filled(hour, barsAt([T0])))
    await declared({ instruments: ['MSFT.NASDAQ'], specs: ['5MIN', '1HOUR'] })
    expect((await specs())?.sort()).toEqual(['MSFT.NASDAQ 1-HOUR-LAST', 'MSFT.NASDAQ 5-MINUTE-LAST'])
    expect((await store.bars(first?.id ?? 0, hour, 10)).t).toEqual([T0])
  })

  it('follows the definition that stands: an older one links nothing', async () => {
    await declared()
    const newer = { ...DEFINITION, specs: ['DAILY'] }
    await store.putDataset(newer, NOW)
    await store.linkDataset(DEFINITION)
    expect((await store.datasetNow('stocks', NOW))?.linked).toBe(false)
    await store.linkDataset(newer)
    expect(await specs()).toEqual(['AAPL.NASDAQ 1-DAY-LAST'])
    expect((await store.datasetNow('stocks', NOW))?.linked).toBe(true)
  })

  it('shows the instruments that were not found, and why, until they are', async () => {
    await store.putDataset({ ...DEFINITION, instruments: ['A.NYSE', 'B.NYSE', 'C.NYSE'] }, NOW)
    await store.noteInstruments(
      'stocks',
      [
        { name: 'A.NYSE', error: NOT_FOUND },
        { name: 'B.NYSE', error: NOT_FOUND, passing: true },
      ],
      NOW,
    )
    expect((await state())?.unresolved).toEqual([
      { name: 'A.NYSE', askedAt: NOW, error: NOT_FOUND },
      { name: 'B.NYSE', askedAt: undefined, error: NOT_FOUND },
      { name: 'C.NYSE', askedAt: undefined, error: undefined },
    ])
    await store.putInstrument('A.NYSE', details('A'), NOW)
    await store.noteInstruments('stocks', [{ name: 'A.NYSE', instrumentId: 'A.NYSE' }], NOW)
    expect((await state())?.unresolved.map(({ name }) => name)).toEqual(['B.NYSE', 'C.NYSE'])
    expect((await store.datasetNow('stocks', NOW))?.linked).toBe(false)
  })

  it('from the head waits for it: a series begins where IBKR says that its data do', async () => {
    await declared({ since: 'head' })
    const [series] = (await state())?.series ?? []
    expect(series).toMatchObject({ since: undefined, gaps: [], headAskedAt: undefined })
    const id = series?.id ?? 0
    await store.putHead(id, { error: NOT_FOUND, passing: true }, NOW)
    expect((await state())?.series[0]).toMatchObject({ headError: NOT_FOUND, headAskedAt: undefined })
    await store.putHead(id, { error: NOT_FOUND, passing: false }, NOW)
    expect((await state())?.series[0]).toMatchObject({ headError: NOT_FOUND, headAskedAt: NOW })
    await store.putHead(id, { head: T0 }, NOW)
    expect((await state())?.series[0]).toMatchObject({
      ...{ since: T0, headError: undefined, gaps: [{ start: T0, end: NOW }] },
    })
    await declared({ since: 'head', name: 'again' })
    expect((await state('again'))?.series[0]?.since).toBe(T0)
  })
}
