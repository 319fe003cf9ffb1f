import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createPacing, type Log, RULES, type RuledRequest } from '@tidegate/bridge'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openJournal } from '../src/pacing/journal.ts'
import { openWindows } from '../src/pacing/open.ts'
import { createFakeClock } from './clock.ts'
import { endAll, onEnd, settingsFor } from './rig.ts'

afterEach(endAll)

let file = ''
const logged: string[] = []
const write = (fields: object, message: string) => void logged.push(`${JSON.stringify(fields)} ${message}`)
const log: Log = { debug: write, info: write, warn: write, error: write }
const clock = createFakeClock()

beforeEach(async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'tidegate-journal-'))
  onEnd(() => rm(folder, { recursive: true, force: true }))
  file = path.join(folder, 'deep', 'sent.jsonl')
  logged.length = 0
})

/** The pacing of a bridge that has just started. */
async function start(stateFile = file) {
  const settings = settingsFor(4002, { stateFile })
  const windows = await openWindows({ settings, clock, steady: clock, rules: RULES, log, newId: () => 'id' })
  return createPacing({ clock, windows })
}

function small(n: number, whatToShow = 'TRADES'): RuledRequest {
  const identity = `${n} ${whatToShow}`
  return { kind: 'bars', barSec: 5, contract: String(n), exchange: 'SMART', whatToShow, identity }
}

const ask = (pacing: Awaited<ReturnType<typeof start>>, rule: RuledRequest) =>
  pacing.run({ priority: 'backfill', waitMs: 0, rule }, async () => 'went')

describe('what was sent', () => {
  it('is counted by the next process for as long as the rules look at it, and no longer', async () => {
    const first = await start()
    for (let n = 0; n < 40; n++) await ask(first, small(n))
    await clock.advanceQuickly(2000)
    // It is there before the request goes: nothing has to be said in the end.
    const second = await start()
    expect(second.stats().left.small).toBe(20)
    for (let n = 40; n < 60; n++) await ask(second, small(n))
    await expect(ask(second, small(60))).rejects.toMatchObject({ kind: 'busy', retryAfterMs: 599_000 })
    await clock.advanceQuickly(599_000)
    const third = await start()
    expect(third.stats().left.small).toBe(40)
    await clock.advanceQuickly(2000)
    await start()
    expect(await readFile(file, 'utf8')).toBe('')
    expect(logged).toEqual([])
  })

  it('holds a twin back after a restart, minute bars too', async () => {
    const minutes: RuledRequest = { ...small(1), barSec: 60 }
    await ask(await start(), minutes)
    await expect(ask(await start(), minutes)).rejects.toMatchObject({ kind: 'busy', retryAfterMs: 15_500 })
  })

  it('in a line that was torn off is warned of, and taken for the worst', async () => {
    await ask(await start(), small(1))
    await appendFile(file, '{"atMs":17')
    const pacing = await start()
    expect(logged.join()).toContain('has lines that can not be read')
    // The clock of the test is behind the file's: it can't have been sent later than now.
    expect(pacing.stats().left.small).toBe(RULES.small.limit - 1 - 2)
    // What comes after it can be read again.
    await ask(pacing, small(2))
    logged.length = 0
    expect((await start()).stats().left.small).toBe(RULES.small.limit - 1 - 2 - 1)
    expect(logged).toEqual([])
  })

  it('in a file of another kind is warned of line by line', async () => {
    await mkdir(path.dirname(file))
    await writeFile(file, 'no\nrecord\n{"atMs":"x"}\n{"atMs":1,"small":1e308}\n')
    expect((await start()).stats().left.small).toBe(RULES.small.limit - 8)
    expect(logged.join()).toContain('"lines":4')
  })

  it('where there can be no file is warned of, and the bridge goes on', async () => {
    await writeFile(path.dirname(path.dirname(file)).concat('/occupied'), '')
    const pacing = await start(path.join(path.dirname(path.dirname(file)), 'occupied', 'sent.jsonl'))
    expect(await ask(pacing, small(1))).toBe('went')
    expect(logged.join()).toContain('set BRIDGE_STATE')
    expect(await ask(pacing, small(2))).toBe('went')
    expect(logged.filter((line) => line.includes('can not write'))).toHaveLength(1)
  })

  it('in a folder that nobody can make is warned of too', async () => {
    const pacing = await start('/proc/none/deep/sent.jsonl')
    expect(await ask(pacing, small(1))).toBe('went')
    expect(logged.filter((line) => line.includes('can not write'))).toHaveLength(1)
  })

  it('does not pile up', async () => {
    const journal = openJournal({ file, clock, rules: RULES, log })
    for (let n = 0; n < 5000; n++) {
      journal.write({ small: 0, identity: String(n) })
      if (n === 2000) await clock.advanceQuickly(15_500)
    }
    const lines = (await readFile(file, 'utf8')).split('\n').length
    expect(lines).toBeGreaterThan(2900)
    expect(lines).toBeLessThan(3100)
  })
})
