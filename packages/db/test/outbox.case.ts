import { expect, it } from 'vitest'
import { anySeries, deliver, empty, NOW, queue, type Subject, T0, taken, windowOf } from './fixture.ts'

const MOST = 500
const ASKED = MOST + 3
const LATER = NOW + 1000

/** What the outbox gives to the queue, and what it holds back. */
export function describeOutbox({ store }: Subject): void {
  const windows = Array.from({ length: ASKED }, (_, i) => windowOf(T0 + i * 600, 10))

  it('of one run and bar specification no more go to the queue than may be with it at once', async () => {
    const series = await anySeries(store)
    const ids = await queue(store, series.id, windows)
    expect((await deliver(store)).map(({ chunkId, open }) => [chunkId, open])).toEqual(
      ids.slice(0, MOST).map((id, place) => [id, { priority: 'scheduled', place }]),
    )
    expect(await deliver(store)).toEqual([])
    // Nobody waits for the message of one that was never sent; one whose message was lost is found.
    expect(await store.due(LATER, 10_000, 60)).toEqual(ids.slice(0, MOST))
    expect(await store.due(LATER, 10_000)).toHaveLength(ASKED)

    const claim = await taken(store, ids[0] ?? '')
    expect(await deliver(store)).toEqual([])
    await store.commit(claim, empty(claim.window), NOW)
    const [settled, next, ...others] = (await deliver(store)).toSorted((a, b) => (a.kind < b.kind ? 1 : -1))
    expect(settled).toMatchObject({ kind: 'chunk-settled', chunkId: ids[0] })
    expect(next).toMatchObject({ kind: 'chunk-queued', chunkId: ids[MOST] })
    expect(others).toEqual([])
  })

  it('what asks for a turn stays counted; what waits an hour for a second look does not', async () => {
    const series = await anySeries(store)
    const ids = await queue(store, series.id, windows)
    await deliver(store)
    const [first = '', second = ''] = ids
    await store.requeue(await taken(store, first), { kind: 'busy', message: 'later' }, LATER)
    expect(await deliver(store)).toEqual([])
    await store.requeue(await taken(store, second), { kind: 'not-found', message: 'no' }, LATER)
    expect((await deliver(store)).map(({ chunkId }) => chunkId)).toEqual([ids[MOST]])
  })

  it('fewer go there where fewer may', async () => {
    const ids = await queue(store, (await anySeries(store)).id, windows.slice(0, 5))
    expect((await store.outbox(10, 3)).map(({ chunkId }) => chunkId)).toEqual(ids.slice(0, 3))
  })

  it('another run has its own share', async () => {
    const [one, other] = [await anySeries(store), await anySeries(store, 'MSFT')]
    await queue(store, one.id, windows)
    await queue(store, other.id, windows.slice(0, 3))
    expect(await deliver(store)).toHaveLength(MOST + 3)
  })

  it('what was cancelled meanwhile goes to nobody', async () => {
    const series = await anySeries(store)
    const ids = await queue(store, series.id, windows)
    const { runId } = await taken(store, ids[0] ?? '')
    await store.cancelRun(runId, NOW)
    const queued = (await deliver(store)).filter(({ kind }) => kind === 'chunk-queued')
    expect(queued).toHaveLength(ASKED)
    expect(queued.every(({ open }) => open === undefined)).toBe(true)
  })
}
