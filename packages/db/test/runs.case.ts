import { sql } from 'drizzle-orm'
import { describe, expect, it } from 'vitest'
import {
  barsAt,
  claimed,
  DEFINITION,
  deliver,
  eachSeries,
  empty,
  fill,
  filled,
  held,
  minutes,
  NOW,
  queue,
  type Subject,
  T0,
  taken,
  windowOf,
} from './fixture.ts'

const LOGIN = { kind: 'login-required', message: 'Log in at the gateway.' } as const
const GONE = { kind: 'internal', message: 'Its message was given up.' } as const

/** Runs that are listed and stopped, chunks that go round again or do not. */
export function describeRuns({ database, store }: Subject): void {
  const series = eachSeries(store)
  const runOf = async (id: string, windows: readonly { start: number; end: number }[], more = {}) =>
    store.createRun({
      id,
      source: 'test',
      now: NOW,
      chunks: windows.map((window) => ({ seriesId: series.id, window })),
      ...more,
    })
  const gaps = async (window = windowOf(T0, 30)) => (await store.gaps([{ seriesId: series.id, window }]))[0]?.windows

  describe('a list of runs', () => {
    it('has the newest first, with what became of their chunks', async () => {
      await store.putDataset(DEFINITION, NOW)
      const { chunkIds } = await runOf('first', [windowOf(T0, 10), windowOf(T0 + 600, 10)])
      await runOf('second', [windowOf(T0 + 1200, 10)], { now: NOW + 5, dataset: 'stocks', priority: 'backfill' })
      const [good, bad] = await Promise.all(chunkIds.map((id) => taken(store, id)))
      const { window } = held(good)
      await store.commit(held(good), filled(window, barsAt(minutes(window.start, 7))), NOW)
      await store.giveUp(held(bad), 'failed', GONE, NOW)
      await store.closeRuns(NOW + 9)
      const none = { queued: 0, leased: 0, done: 0, failed: 0, parked: 0, cancelled: 0 }
      const second = {
        ...{ id: 'second', source: 'test', dataset: 'stocks', priority: 'backfill', state: 'open', bars: 0 },
        ...{ createdAt: NOW + 5, finishedAt: undefined, error: undefined, chunks: { ...none, queued: 1 } },
      }
      const first = {
        ...{ id: 'first', source: 'test', dataset: undefined, priority: 'scheduled', state: 'failed', bars: 7 },
        ...{ createdAt: NOW, finishedAt: NOW + 9, error: GONE, chunks: { ...none, done: 1, failed: 1 } },
      }
      expect(await store.runs({ limit: 10 })).toEqual([second, first])
      expect(await store.runs({ limit: 1 })).toEqual([second])
      expect(await store.runs({ limit: 10, state: 'failed' })).toEqual([first])
      expect(await store.runs({ limit: 10, dataset: 'stocks' })).toEqual([second])
      expect(await store.runs({ limit: 10, dataset: 'stocks', state: 'failed' })).toEqual([])
    })
  })

  describe('a cancelled run', () => {
    it('leaves its windows as gaps, and drops the answer that was under way', async () => {
      const { chunkIds } = await runOf('run', [windowOf(T0, 10), windowOf(T0 + 600, 10), windowOf(T0 + 1200, 10)])
      const [done, leased] = await Promise.all(chunkIds.slice(0, 2).map((id) => taken(store, id)))
      await store.commit(held(done), empty(held(done).window), NOW)
      expect(await store.cancelRun('run', NOW + 1)).toEqual({ state: 'cancelled', stopped: 2 })
      const { window } = held(leased)
      const late = await store.commit(held(leased), filled(window, barsAt(minutes(window.start, 7))), NOW + 2)
      expect(late).toEqual({ held: false, written: 0, restated: 0 })
      expect(await store.requeue(held(leased), GONE, NOW)).toBe(false)
      expect(await store.run('run')).toMatchObject({
        state: 'cancelled',
        finishedAt: NOW + 1,
        chunks: { done: 1, cancelled: 2, queued: 0, leased: 0 },
        bars: 0,
      })
      expect(await gaps()).toEqual([windowOf(T0, 20)])
      expect(await store.due(NOW + 1e6, 10)).toEqual([])
      expect(await store.closeRuns(NOW + 9)).toEqual([])
    })

    it('stays as it is when it is cancelled again, and so does one that has ended', async () => {
      await runOf('run', [windowOf(T0, 10)])
      await store.cancelRun('run', NOW + 1)
      expect(await store.cancelRun('run', NOW + 2)).toEqual({ state: 'cancelled', stopped: 0 })
      expect(await store.run('run')).toMatchObject({ finishedAt: NOW + 1 })
      await runOf('done', [])
      await store.closeRuns(NOW)
      expect(await store.cancelRun('done', NOW + 2)).toEqual({ state: 'done', stopped: 0 })
      expect(await store.cancelRun('no such run', NOW)).toBeUndefined()
    })

    it('that has failed goes on with no login any more; what has failed for good stays so', async () => {
      const denied = { kind: 'no-permission', message: 'subscribe' } as const
      const { chunkIds } = await runOf('run', [windowOf(T0, 10), windowOf(T0 + 600, 10)])
      const [parked, refused] = await Promise.all(chunkIds.map((id) => taken(store, id)))
      await store.giveUp(held(parked), 'parked', LOGIN, NOW)
      await store.giveUp(held(refused), 'parked', denied, NOW)
      await store.closeRuns(NOW)
      expect(await store.cancelRun('run', NOW + 1)).toEqual({ state: 'cancelled', stopped: 1 })
      expect(await store.run('run')).toMatchObject({ state: 'cancelled', chunks: { parked: 1, cancelled: 1 } })
      expect(await store.resume(NOW + 999, 10)).toBe(0)
      expect(await store.cancelRun('run', NOW + 2)).toEqual({ state: 'cancelled', stopped: 0 })
      const { chunkIds: others } = await runOf('other', [windowOf(T0 + 1200, 10)])
      await store.giveUp(await taken(store, others[0] ?? ''), 'parked', denied, NOW)
      await store.closeRuns(NOW)
      expect(await store.cancelRun('other', NOW + 1)).toEqual({ state: 'failed', stopped: 0 })
    })

    it('touches no other run, and may be cancelled by many at once', async () => {
      await runOf('other', [windowOf(T0, 10)])
      await runOf(
        'run',
        Array.from({ length: 50 }, (_, i) => windowOf(T0 + 600 + i * 60, 1)),
      )
      const all = await Promise.all(Array.from({ length: 6 }, () => store.cancelRun('run', NOW)))
      expect(all.reduce((sum, one) => sum + (one?.stopped ?? 0), 0)).toBe(50)
      expect((await store.run('other'))?.chunks.queued).toBe(1)
    })

    it('loses no half of a chunk that is halved meanwhile: a second call finds it', async () => {
      const { chunkIds } = await runOf('run', [windowOf(T0, 10)])
      const claim = await taken(store, chunkIds[0] ?? '')
      const halving = {
        ...{ halves: [windowOf(T0, 5), windowOf(T0 + 300, 5)] as const, error: GONE, now: NOW, notBefore: NOW },
        ...{ learned: undefined, forgottenBefore: 0 },
      }
      const [halves] = await Promise.all([store.halve(claim, halving), store.cancelRun('run', NOW)])
      await store.cancelRun('run', NOW)
      expect(await store.run('run')).toMatchObject({ chunks: { queued: 0, leased: 0, cancelled: halves ? 2 : 1 } })
      expect(await gaps(windowOf(T0, 10))).toEqual([windowOf(T0, 10)])
    })
  })

  describe('a chunk whose message was given up', () => {
    it('has failed, with its last error, and is a gap', async () => {
      const [fresh = '', tried = ''] = await queue(store, series.id, [windowOf(T0, 10), windowOf(T0 + 600, 10)])
      await store.requeue(await taken(store, tried), LOGIN, NOW)
      expect(await store.bury(fresh, GONE, NOW)).toBe(true)
      expect(await store.bury(tried, GONE, NOW)).toBe(true)
      expect(await store.bury(tried, GONE, NOW)).toBe(false)
      const [run] = await store.runs({ limit: 1 })
      expect(run?.chunks).toMatchObject({ failed: 2, queued: 0 })
      expect(run?.error).toEqual(tried > fresh ? LOGIN : GONE)
      expect(await gaps()).toEqual([windowOf(T0, 30)])
      expect((await store.outbox(10)).map(({ kind }) => kind)).toEqual(
        expect.arrayContaining(['chunk-settled', 'chunk-settled']),
      )
    })

    it('is left alone while somebody works on it, while it waits for its time, and once it has ended', async () => {
      const claim = await claimed(store, series.id, windowOf(T0, 10))
      expect(await store.bury(claim.chunkId, GONE, NOW + 59)).toBe(false)
      await store.requeue(claim, LOGIN, NOW + 30)
      expect(await store.bury(claim.chunkId, GONE, NOW + 29)).toBe(false)
      await store.giveUp(await taken(store, claim.chunkId, NOW + 30), 'parked', LOGIN, NOW)
      expect(await store.bury(claim.chunkId, GONE, NOW + 999)).toBe(false)
      expect(await store.bury('12345678', GONE, NOW)).toBe(false)
    })

    it('has failed too when its lease was lost: who held it then writes nothing', async () => {
      const claim = await claimed(store, series.id, windowOf(T0, 10))
      expect(await store.bury(claim.chunkId, GONE, NOW + 60)).toBe(true)
      expect((await store.commit(claim, empty(windowOf(T0, 10)), NOW + 61)).held).toBe(false)
    })
  })

  describe('chunks that are parked for want of a login', () => {
    const park = async (
      window = windowOf(T0, 10),
      error: typeof LOGIN | { kind: 'no-permission'; message: string } = LOGIN,
    ) => {
      const claim = await claimed(store, series.id, window)
      await store.giveUp(claim, 'parked', error, NOW)
      return claim
    }

    it('go round again, in the runs they were of', async () => {
      expect(await store.isAnyHeld([], NOW)).toBe(false)
      const claim = await park()
      const other = await park(windowOf(T0 + 600, 10), { kind: 'no-permission', message: 'subscribe' })
      await store.closeRuns(NOW)
      await deliver(store)
      expect(await store.isAnyHeld([], NOW)).toBe(true)
      expect(await store.resume(NOW + 5, 10)).toBe(1)
      expect(await store.isAnyHeld([], NOW)).toBe(false)
      expect(await store.resume(NOW + 5, 10)).toBe(0)
      expect(await store.outbox(10)).toMatchObject([{ kind: 'chunk-queued', chunkId: claim.chunkId }])
      expect(await store.run(claim.runId)).toMatchObject({
        state: 'open',
        finishedAt: undefined,
        chunks: { queued: 1 },
      })
      expect((await store.run(other.runId))?.state).toBe('failed')
      const again = await taken(store, claim.chunkId, NOW + 5)
      expect((await store.commit(again, empty(claim.window), NOW + 6)).held).toBe(true)
      expect(await store.closeRuns(NOW + 7)).toEqual([claim.runId])
      expect((await store.run(claim.runId))?.state).toBe('done')
    })

    it('stay where somebody else has asked for them, or asks, or was refused since', async () => {
      await park(windowOf(T0, 10))
      await park(windowOf(T0 + 600, 10))
      await park(windowOf(T0 + 1200, 10))
      await fill(store, series.id, windowOf(T0, 15), empty(windowOf(T0, 15)))
      await queue(store, series.id, [windowOf(T0 + 900, 10)])
      await park(windowOf(T0 + 1500, 10))
      expect(await store.resume(NOW, 10)).toBe(1)
      expect(await gaps(windowOf(T0, 60))).toEqual([windowOf(T0 + 2100, 25)])
    })

    it('stay in a run that was cancelled', async () => {
      const { chunkIds } = await runOf('run', [windowOf(T0, 10), windowOf(T0 + 600, 10)])
      await store.giveUp(await taken(store, chunkIds[0] ?? ''), 'parked', LOGIN, NOW)
      await store.cancelRun('run', NOW)
      expect(await store.resume(NOW, 10)).toBe(0)
    })

    it('wait longer each time that they are parked again', async () => {
      const { chunkId } = await park()
      let now = NOW
      for (const waitSec of [0, 240, 480, 960, 1920, 3840, 3840]) {
        expect(await store.resume(now + waitSec - 1, 10)).toBe(waitSec === 0 ? 1 : 0)
        now += waitSec
        if (waitSec > 0) expect(await store.resume(now, 10)).toBe(1)
        await store.giveUp(await taken(store, chunkId, now), 'parked', LOGIN, now)
      }
    })
  })

  it('chunks that wait out a failure are let go by its kind, and no others', async () => {
    const kinds = ['competing-session', 'timeout', 'disconnected'] as const
    const claims = await Promise.all(kinds.map((_, i) => claimed(store, series.id, windowOf(T0 + i * 600, 10))))
    for (const [i, claim] of claims.entries()) {
      await store.requeue(claim, { kind: kinds[i] ?? 'timeout', message: 'later' }, NOW + 300)
    }
    await queue(store, series.id, [windowOf(T0 + 3000, 10)])
    await deliver(store)
    expect(await store.isAnyHeld(['competing-session'], NOW)).toBe(true)
    expect(await store.isAnyHeld(['competing-session'], NOW + 300)).toBe(false)
    expect(await store.isAnyHeld(['farm-down'], NOW)).toBe(false)
    expect(await store.hasten(['competing-session', 'farm-down'], NOW + 1)).toBe(1)
    expect(await store.hasten(['competing-session', 'farm-down'], NOW + 1)).toBe(0)
    expect(await store.outbox(10)).toMatchObject([{ kind: 'chunk-queued', chunkId: claims[0]?.chunkId }])
    expect(await store.claim(claims[0]?.chunkId ?? '', { now: NOW + 1, leaseSec: 60 })).toMatchObject({
      failed: { kind: 'competing-session', times: 1 },
    })
    expect(await store.claim(claims[2]?.chunkId ?? '', { now: NOW + 1, leaseSec: 60 })).toBeUndefined()
  })

  it('a gateway that was away is found to be back once', async () => {
    expect(await store.clearAway()).toBe(false)
    await store.noteAway(NOW)
    await store.noteAway(NOW + 1)
    expect((await Promise.all([store.clearAway(), store.clearAway()])).sort()).toEqual([false, true])
  })

  it('a lease that ran out counts as a failure of who held it', async () => {
    const [id = ''] = await queue(store, series.id, [windowOf(T0, 10)])
    const seen = []
    for (let now = NOW; now < NOW + 300; now += 60) seen.push((await taken(store, id, now)).failed)
    expect(seen).toEqual([undefined, ...[1, 2, 3, 4].map((times) => ({ kind: 'internal', times }))])
    expect((await store.runs({ limit: 1 }))[0]?.error?.message).toMatch(/without a word/)
  })

  it('delivered entries of the outbox are forgotten after a while, the oldest first, and others never', async () => {
    await queue(
      store,
      series.id,
      [0, 1, 2, 3].map((i) => windowOf(T0 + i * 600, 10)),
    )
    const [first, second, third] = await store.outbox(10)
    await store.delivered([first?.id ?? 0], NOW)
    await store.delivered([second?.id ?? 0, third?.id ?? 0], NOW + 10)
    expect(await store.forgetDelivered(NOW, 10)).toBe(0)
    expect(await store.forgetDelivered(NOW + 11, 2)).toBe(2)
    expect(await store.forgetDelivered(NOW + 10, 10)).toBe(0)
    expect(await store.forgetDelivered(NOW + 11, 2)).toBe(1)
    const [left] = await database.rows<{ n: number }>(sql`select count(*)::int as n from outbox`)
    expect(left?.n).toBe(1)
    expect(await store.outbox(10)).toHaveLength(1)
  })

  it('runs that ended are forgotten after a while, chunks first, and none that is open', async () => {
    const { chunkIds } = await runOf('ended', [windowOf(T0, 10), windowOf(T0 + 600, 10)])
    const [newer = '', older = ''] = chunkIds
    const good = await taken(store, older)
    await store.commit(good, filled(good.window, barsAt([T0])), NOW)
    await store.giveUp(await taken(store, newer), 'parked', LOGIN, NOW)
    await store.closeRuns(NOW + 10)
    await runOf('open', [windowOf(T0 + 1200, 10)])
    await runOf('of no chunks', [])
    await store.closeRuns(NOW + 20)
    const left = async () => (await store.runs({ limit: 9 })).map(({ id }) => id).sort()
    expect(await store.forgetRuns(NOW + 10, 9)).toBe(0)
    expect(await left()).toEqual(['ended', 'of no chunks', 'open'])
    expect(await store.forgetRuns(NOW + 11, 1)).toBe(1)
    expect(await store.forgetRuns(NOW + 11, 9)).toBe(1)
    expect(await store.forgetRuns(NOW + 21, 9)).toBe(0)
    expect(await left()).toEqual(['open'])
    expect((await store.bars(series.id, windowOf(T0, 10), 9)).t).toEqual([T0])
    expect(await gaps(windowOf(T0, 20))).toEqual([windowOf(T0 + 600, 10)])
  })

  it('what a split is collected by is not forgotten before it is in place', async () => {
    await fill(store, series.id, windowOf(T0, 10), filled(windowOf(T0, 10), barsAt([T0])))
    const { chunkIds } = await runOf('found', [windowOf(T0 + 600, 10)])
    const claim = await taken(store, chunkIds[0] ?? '')
    await store.openAdjustment(claim, { ratio: 0.5, since: undefined, before: T0 + 600 }, NOW)
    await runOf('collects', [windowOf(T0, 10)])
    await database.rows(
      sql`update chunks set state = 'done', adjustment_id = (select max(id) from adjustments) where run_id = 'collects'`,
    )
    await store.closeRuns(NOW)
    expect(await store.forgetRuns(NOW + 1, 9)).toBe(1)
    await database.rows(sql`update adjustments set state = 'applied'`)
    expect(await store.forgetRuns(NOW + 1, 9)).toBe(1)
  })
}
