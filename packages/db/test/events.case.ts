import { sql } from 'drizzle-orm'
import { expect, it } from 'vitest'
import {
  anySeries,
  claimed,
  DEFINITION,
  empty,
  held,
  NOW,
  newRunId,
  queue,
  type Subject,
  T0,
  taken,
  windowOf,
} from './fixture.ts'

interface Noted {
  readonly type: string
  readonly data: Record<string, unknown>
}

/** What is noted in the statement that does it, and told once. */
export function describeEvents({ database, store }: Subject): void {
  const noted = async () =>
    (await database.rows<{ event: Noted }>(sql`select event from outbox where kind = 'event' order by id`)).map(
      (row) => row.event,
    )
  const told = async () => (await noted()).map(({ type }) => type)

  it('a run that ends notes what came of it, once, whoever closes it', async () => {
    const series = await anySeries(store)
    const claim = await claimed(store, series.id, windowOf(T0, 10))
    expect(await store.closeRuns(NOW)).toEqual([])
    await store.commit(claim, empty(claim.window), NOW)
    const closed = await Promise.all([1, 2, 3].map(() => store.closeRuns(NOW + 5)))
    expect(closed.flat()).toEqual([claim.runId])
    expect(await noted()).toEqual([
      {
        type: 'run.finished',
        data: {
          run: claim.runId,
          dataset: null,
          source: 'test',
          createdAt: '2024-03-07T14:30:00Z',
          finishedAt: '2024-03-07T14:30:05Z',
          chunks: { done: 1, failed: 0, parked: 0, cancelled: 0 },
          bars: 0,
        },
      },
    ])
    expect((await store.outbox(10)).map(({ kind }) => kind)).toEqual(['chunk-queued', 'chunk-settled'])
  })

  it('a run that failed names its first failure', async () => {
    const series = await anySeries(store)
    const windows = [0, 1, 2].map((i) => windowOf(T0 + i * 600, 10))
    const ids = await queue(store, series.id, windows)
    const claims = await Promise.all(ids.map((id) => taken(store, id)))
    for (const [i, claim] of claims.toReversed().entries()) {
      await store.giveUp(claim, i === 1 ? 'parked' : 'failed', { kind: 'invalid', message: `failure ${i}` }, NOW + i)
    }
    await store.closeRuns(NOW + 9)
    expect(await noted()).toMatchObject([
      {
        type: 'run.failed',
        data: { chunks: { failed: 2, parked: 1, done: 0 }, error: { kind: 'invalid', message: 'failure 0' } },
      },
    ])
  })

  it('a run that is stopped is told of once, with what had become of its chunks, and never as finished', async () => {
    const series = await anySeries(store)
    const ids = await queue(
      store,
      series.id,
      [0, 1, 2, 3].map((i) => windowOf(T0 + i * 600, 10)),
    )
    const [done, failed] = await Promise.all(ids.slice(0, 2).map((id) => taken(store, id)))
    await store.commit(held(done), empty(held(done).window), NOW)
    await store.giveUp(held(failed), 'failed', { kind: 'invalid', message: 'no' }, NOW)
    const { runId } = held(done)
    await Promise.all([1, 2, 3].map(() => store.cancelRun(runId, NOW + 5)))
    await store.closeRuns(NOW + 6)
    expect(await noted()).toMatchObject([
      {
        type: 'run.cancelled',
        data: {
          run: runId,
          finishedAt: '2024-03-07T14:30:05Z',
          chunks: { done: 1, failed: 1, parked: 0, cancelled: 2 },
        },
      },
    ])
  })

  it('a dataset that is removed has its open run told as cancelled, by its name', async () => {
    await anySeries(store)
    for (const dropData of [false, true]) {
      await store.putDataset(DEFINITION, NOW)
      await store.linkDataset(DEFINITION)
      const id = newRunId()
      const own = (await store.datasetNow('stocks', NOW))?.series[0]?.id ?? 0
      await store.createRun({
        ...{ id, source: 'tick', dataset: 'stocks', now: NOW },
        chunks: [{ seriesId: own, window: windowOf(T0, 10) }],
      })
      await store.removeDataset('stocks', { dropData }, NOW + 5)
      await store.closeRuns(NOW + 6)
      expect((await noted()).at(-1)).toMatchObject({
        type: 'run.cancelled',
        data: { run: id, dataset: 'stocks', chunks: { cancelled: 1, done: 0 } },
      })
    }
    expect(await told()).toEqual(['run.cancelled', 'run.cancelled'])
  })

  it('a run that goes on after a login tells each of its ends once', async () => {
    const series = await anySeries(store)
    const claim = await claimed(store, series.id, windowOf(T0, 10))
    await store.giveUp(claim, 'parked', { kind: 'login-required', message: 'Log in.' }, NOW)
    await store.closeRuns(NOW)
    expect(await store.resume(NOW + 60, 10)).toBe(1)
    await store.closeRuns(NOW + 60)
    const again = await taken(store, claim.chunkId, NOW + 60)
    await store.commit(again, empty(again.window), NOW + 61)
    await store.closeRuns(NOW + 61)
    await store.closeRuns(NOW + 62)
    expect(await told()).toEqual(['login.required', 'run.failed', 'run.finished'])
  })

  it('a run that had nothing to do is told of as well', async () => {
    await store.createRun({ id: newRunId(), source: 'test', chunks: [], now: NOW })
    await store.closeRuns(NOW)
    expect(await noted()).toMatchObject([{ type: 'run.finished', data: { bars: 0, chunks: { done: 0 } } }])
  })

  it('a login that is required is told once, until it works again', async () => {
    const series = await anySeries(store)
    const park = async (i: number) => {
      const claim = await claimed(store, series.id, windowOf(T0 + i * 600, 10))
      await store.giveUp(claim, 'parked', { kind: 'login-required', message: 'Log in at the gateway.' }, NOW)
    }
    await Promise.all([park(0), park(1)])
    expect(await store.noteLogin('Another reason.', NOW)).toBe(false)
    expect(await noted()).toEqual([{ type: 'login.required', data: { reason: 'Log in at the gateway.' } }])
    await store.clearLogin()
    await store.clearLogin()
    const twice = await Promise.all([store.noteLogin('Again.', NOW), store.noteLogin('Again.', NOW)])
    expect(twice.sort()).toEqual([false, true])
    expect((await noted()).at(-1)).toEqual({ type: 'login.required', data: { reason: 'Again.' } })
    expect(await told()).toHaveLength(2)
  })

  it('any other failure, and one whose fence is lost, note no login', async () => {
    const series = await anySeries(store)
    const claim = await claimed(store, series.id, windowOf(T0, 10))
    const error = { kind: 'login-required', message: 'no' } as const
    await store.giveUp({ ...claim, fence: claim.fence + 1 }, 'parked', error, NOW)
    await store.giveUp(claim, 'parked', { kind: 'no-permission', message: 'no' }, NOW)
    expect(await told()).toEqual([])
  })

  it('an event becomes one delivery for each webhook that wants it, and never again', async () => {
    for (const [id, events] of [
      ['both', ['run.finished', 'login.required']],
      ['login', ['login.required']],
      ['none', ['restatement']],
      ['closed', ['login.required']],
    ] as const) {
      await store.putWebhook({ id, url: 'https://example.com/', secret: 'whsec_x', events, createdAt: NOW })
    }
    await database.rows(sql`update webhooks set disabled_at = now() where id = 'closed'`)
    await store.noteLogin('Log in.', NOW)
    await store.createRun({ id: newRunId(), source: 'test', chunks: [], now: NOW })
    await store.closeRuns(NOW)
    expect(await store.spreadEvents(NOW + 60, 1)).toBe(1)
    const spread = await Promise.all([store.spreadEvents(NOW + 60, 10), store.spreadEvents(NOW + 60, 10)])
    expect(spread.sort()).toEqual([0, 1])
    expect(await store.spreadEvents(NOW + 61, 10)).toBe(0)
    const of = async (id: string) => ((await store.deliveries(id, 10)) ?? []).map(({ type }) => type).sort()
    expect(await of('both')).toEqual(['login.required', 'run.finished'])
    expect(await of('login')).toEqual(['login.required'])
    expect(await of('none')).toEqual([])
    expect(await of('closed')).toEqual([])
    const claim = await store.claimDelivery({ webhookId: 'login' }, { now: NOW + 60, leaseSec: 60 })
    const [other] = ((await store.deliveries('both', 10)) ?? []).filter(({ type }) => type === 'login.required')
    expect(claim?.eventId).toBe(other?.eventId)
    expect(JSON.parse(claim?.body ?? '')).toEqual({
      id: claim?.eventId,
      type: 'login.required',
      timestamp: '2024-03-07T14:30:00Z',
      data: { reason: 'Log in.' },
    })
  })
}
