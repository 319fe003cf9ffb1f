import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EmbeddedDatabase } from '@tidegate/db'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freshPglite } from '../../../test/support/pglite.ts'
import { KEY, openDoor } from '../../functions/test/door.ts'
import { commandsTo, NOW_MS, type Outcome, tidegate } from './command.ts'

const WINDOW = ['--start', '2026-05-01', '--end', '2026-11-18']
const SMALL = ['--instruments', 'AAPL,EUR/USD', '--timeframe', '1MIN,5-SECOND-LAST,1-DAY-ADJUSTED', ...WINDOW]

let database: EmbeddedDatabase
let run: (...argv: string[]) => Promise<Outcome>
let empty: string
beforeAll(async () => {
  database = await freshPglite()
  const door = openDoor(database, NOW_MS / 1000)
  run = commandsTo((request) => door.app.fetch(request), KEY)
  empty = await mkdtemp(join(tmpdir(), 'tidegate-empty-'))
})
afterAll(async () => {
  await rm(empty, { recursive: true })
  await database.close()
})

describe('looking into an empty folder leaves it empty, and tells what an empty database would', () => {
  const lists = ['series', 'runs', 'datasets', 'coverage', 'restatements', 'keys list', 'webhooks list', 'hooks list']
  test.each([
    ...lists.flatMap((list) => [list, `${list} --json`]),
    'series SPY.ARCA',
    'restatements AAPL --timeframe DAILY --since 2026-01-01',
    'coverage --instruments AAPL --timeframe 1MIN --sessions',
    `bars --instrument AAPL --timeframe 1MIN ${WINDOW.join(' ')}`,
    `plan ${SMALL.join(' ')}`,
    `plan ${SMALL.join(' ')} --hours all --json`,
    `fetch ${SMALL.join(' ')} --dry-run`,
    'plan --dataset stocks',
    'runs cancel 0123',
    'restatements abandon 7',
    'runs list --limit 3 --json',
    'datasets list --json',
    'datasets pause stocks',
    'datasets run stocks',
    'datasets remove stocks --drop-data',
    'keys revoke 0123456789ab',
    'webhooks test whk_0123456789ab',
    'webhooks remove whk_0123456789ab',
    'hooks add nightly --dataset stocks',
    'hooks remove nightly',
  ])('%s', async (line) => {
    const argv = line.split(' ')
    const outcome = await tidegate(empty, argv)
    expect(outcome).toEqual(await run(...argv))
    expect(outcome.err).not.toContain('not as expected')
    expect(await readdir(empty)).toEqual([])
  })

  test('status', async () => {
    const { status, out } = await tidegate(empty, ['status'], { env: { IBKR_PORT: '1' } })
    expect(out).toMatch(/^No Tidegate is serving in this folder; this command looked itself\.\n/)
    expect(out).toMatch(/database +│ none yet/)
    expect(out).toMatch(/bridge +│ Nobody answers at 127\.0\.0\.1:1/)
    expect(out).toContain('Nothing is stored yet.')
    const json = await tidegate(empty, ['status', '--json'], { env: { IBKR_PORT: '1' } })
    expect(JSON.parse(json.out)).toMatchObject({ database: { ok: true }, bridge: { ok: false }, series: [] })
    expect([status, json.status]).toEqual([1, 1])
    expect(await readdir(empty)).toEqual([])
  })
})
