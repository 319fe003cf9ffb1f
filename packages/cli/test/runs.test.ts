import type { EmbeddedDatabase, Series, Store } from '@tidegate/db'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { freshPglite } from '../../../test/support/pglite.ts'
import { wipe } from '../../../test/support/wipe.ts'
import { details } from '../../db/test/fixture.ts'
import { type Door, KEY, openDoor } from '../../functions/test/door.ts'
import { commandsTo, NOW_MS } from './command.ts'

const NOW = NOW_MS / 1000
const DAY_SEC = 86_400

let database: EmbeddedDatabase
let door: Door
beforeAll(async () => {
  database = await freshPglite()
})
afterAll(() => database?.close())
beforeEach(async () => {
  await wipe(database)
  door = openDoor(database, NOW)
})

const run = (...argv: string[]) => commandsTo((request) => door.app.fetch(request), KEY)('runs', ...argv)

async function seriesIn(store: Store): Promise<Series> {
  await store.putInstrument('AAPL.NASDAQ', details('AAPL'), NOW)
  const [series] = await store.ensureSeries([{ instrumentId: 'AAPL.NASDAQ', spec: '1-MINUTE-LAST', hours: 'regular' }])
  if (!series) throw new Error('No series came back.')
  return series
}

describe('runs', () => {
  test('lists the newest runs, and what went wrong with them', async () => {
    const { store } = door.world
    const { id: seriesId } = await seriesIn(store)
    const window = { start: NOW - DAY_SEC, end: NOW - DAY_SEC / 2 }
    const made = { source: 'fetch', chunks: [{ seriesId, window }] }
    const [chunkId = ''] = (await store.createRun({ ...made, id: 'first-of-runs', now: NOW - 60 })).chunkIds
    const claim = await store.claim(chunkId, { now: NOW, leaseSec: 60 })
    if (!claim) throw new Error('There was nothing to claim.')
    await store.giveUp(claim, 'failed', { kind: 'invalid', message: 'IBKR has no such bars.' }, NOW)
    await store.closeRuns(NOW)
    await store.createRun({ ...made, id: 'second-of-runs', source: 'tick', now: NOW })
    const { status, out } = await run()
    expect(status).toBe(0)
    expect(out).not.toContain('wait')
    const lines = out.split('\n')
    expect(lines[1]).toMatch(/run .* source .* state .* chunks .* bars/)
    expect(lines[3]).toMatch(/second-of-runs .* tick .* open .* 2026-11-20 15:30:00 .* – .* 0 of 1 .* 0 /)
    expect(lines[4]).toMatch(
      /first-of-runs .* fetch .* failed .* 2026-11-20 15:29:00 .* 2026-11-20 15:30:00 .* 1 of 1 .* 0 /,
    )
    expect(lines.at(-2)).toBe('first-of: IBKR has no such bars.')
    const json = JSON.parse((await run('--json', '--state', 'failed')).out)
    expect(json).toMatchObject({ runs: [{ id: 'first-of-runs', error: { message: 'IBKR has no such bars.' } }] })
    expect((await run('--limit', '0')).status).toBe(2)
  })

  test('says why open ones do not go on', async () => {
    const { store } = door.world
    const { id: seriesId } = await seriesIn(store)
    const chunks = [{ seriesId, window: { start: NOW - DAY_SEC, end: NOW - DAY_SEC / 2 } }]
    await store.createRun({ id: 'waits', source: 'tick', chunks, now: NOW })
    const runsWhile = async (bridge: object) => {
      const answering = async (request: Request) => {
        if (new URL(request.url).pathname !== '/v1/status') return door.app.fetch(request)
        return Response.json({ database: { ok: true }, bridge })
      }
      return (await commandsTo(answering, KEY)('runs')).out.split('\n').at(-2)
    }
    const error = { kind: 'disconnected', message: 'The bridge at http://b did not answer.' }
    expect(await runsWhile({ ok: false, error })).toBe(`Open runs wait for the gateway: ${error.message}`)
    const gateway = {
      state: 'down',
      phase: 'connecting',
      reason: 'Nobody answers.',
      lastUpAt: '2026-11-20T15:29:30.1Z',
    }
    expect(await runsWhile({ ok: true, gateway, pacing: {} })).toBe(
      'Open runs wait for the gateway: connecting since 2026-11-20 15:29:30 UTC: Nobody answers.',
    )
    expect(await runsWhile({ ok: true, gateway: { ...gateway, state: 'ready' }, pacing: {} })).toMatch(/^└/)
  })

  test('cancels an open one by the beginning of its id; one that has ended stays as it is', async () => {
    const { store } = door.world
    const { id: seriesId } = await seriesIn(store)
    for (const [i, id] of ['aaa-1', 'aaa-2', 'bbb-1'].entries()) {
      const start = NOW - DAY_SEC * (i + 1)
      const chunks = [{ seriesId, window: { start, end: start + 3600 } }]
      await store.createRun({ id, source: 'fetch', chunks: id === 'bbb-1' ? [] : chunks, now: NOW })
    }
    await store.closeRuns(NOW)
    const several = await run('cancel', 'aaa')
    expect(several).toMatchObject({ status: 1, err: 'tidegate: 2 open runs begin with "aaa": give more of the id.\n' })
    const cancelled = 'Run aaa-2 is cancelled: 0 of its chunks had been answered, 1 are not asked for.\n'
    expect(await run('cancel', 'aaa-2')).toMatchObject({ status: 0, out: cancelled })
    const ended = await run('cancel', 'bbb-1')
    expect(ended).toMatchObject({ status: 1, out: 'Run bbb-1 had ended before: it is done.\n' })
    expect(await run('cancel', 'ccc')).toMatchObject({
      status: 1,
      err: 'tidegate: There is no run "ccc".\n',
    })
  })
})
