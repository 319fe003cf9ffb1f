import { readFileSync } from 'node:fs'
import { parseInstant, sliceBars, type Window } from '@tidegate/core'
import type { EmbeddedDatabase } from '@tidegate/db'
import type { BarsAnswer } from '@tidegate/relay'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { barsIn, STOCKS } from '../packages/ingest/test/market.ts'
import { coveredOf, createWorld, type World } from '../packages/ingest/test/world.ts'
import { freshPglite } from './support/pglite.ts'
import { wipe } from './support/wipe.ts'

const COMPLAINTS = 15
const ROOT = new URL('../', import.meta.url)
/** A row of docs/peers.md: the complaint's number, its words, a file, a test of it. */
const ROW = /^\| (\d+) \| ([^|]+) \| `([^`|]+)` \| ([^|]+) \|$/

const NOW = parseInstant('2026-03-12T12:00Z')
const WINDOW: Window = { start: parseInstant('2026-02-25T15:00Z'), end: parseInstant('2026-03-06T16:00Z') }
const REQUEST = { instruments: ['AAPL'], specs: ['1-MINUTE-LAST'], hours: 'regular', window: WINDOW } as const

describe('what users of other systems complain of', () => {
  const rows = readFileSync(new URL('docs/peers.md', ROOT), 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, number, complaint, file, name] = ROW.exec(line) ?? []
      return file && name ? [{ number: Number(number), complaint, file, name: name.trim() }] : []
    })

  it('is fifteen things, each of which has tests', () => {
    const numbers = [...new Set(rows.map(({ number }) => number))]
    expect(numbers).toEqual(Array.from({ length: COMPLAINTS }, (_, i) => i + 1))
  })

  it.each(rows)('$number $complaint: “$name” is a test that runs', ({ file, name }) => {
    const source = readFileSync(new URL(file, ROOT), 'utf8')
    expect(titlesIn(source)).toContain(name)
  })
})

/** The titles of a file's tests, those of tables as they stand. */
function titlesIn(source: string): string[] {
  return [...source.matchAll(/\b(?:it|test)(?:\.each(?:<\w+>)?\([\s\S]*?\))?\(\s*'([^']+)'/g)].map(
    ([, title = '']) => title,
  )
}

describe('what comes', () => {
  let database: EmbeddedDatabase
  let world: World
  beforeAll(async () => {
    database = await freshPglite()
  })
  beforeEach(async () => {
    await wipe(database)
    world = createWorld(database, NOW)
  })
  afterAll(() => database?.close())

  async function fetched() {
    const { series, chunks } = await world.ingest.start(REQUEST)
    expect(chunks).toBeGreaterThan(1)
    await world.drain({ forSec: 600 })
    expect(await coveredOf(world.store, '1-MINUTE-LAST')).toEqual([WINDOW])
    return world.store.bars(series[0]?.id ?? 0, { start: 0, end: 4e9 }, 1e6)
  }

  it('twice at the edges of every chunk is stored once', async () => {
    world.relay.tamper = (_, answer) => {
      const indices = [0, ...answer.bars.t.keys(), answer.bars.t.length - 1]
      return pick(answer, indices)
    }
    expect(await fetched()).toEqual(barsIn(STOCKS, 60, WINDOW, NOW))
  })

  it('out of order is put in order', async () => {
    world.relay.tamper = (_, answer) => pick(answer, [...answer.bars.t.keys()].reverse())
    expect(await fetched()).toEqual(barsIn(STOCKS, 60, WINDOW, NOW))
  })

  it('as the later half alone is asked for again, further back, and is whole in the end', async () => {
    const seen = new Set<number | undefined>()
    world.relay.tamper = (request, answer) => {
      if (seen.has(request.end)) return answer
      seen.add(request.end)
      const { length } = answer.bars.t
      const bars = sliceBars(answer.bars, Math.floor(length / 2), length)
      return { bars, done: { ...answer.done, bars: bars.t.length } }
    }
    expect(await fetched()).toEqual(barsIn(STOCKS, 60, WINDOW, NOW))
  })
})

/** The same answer with these of its bars. */
function pick({ bars, done }: BarsAnswer, indices: readonly number[]): BarsAnswer {
  const of = <T>(column: readonly T[]): T[] => indices.flatMap((i) => column.slice(i, i + 1))
  const { t, o, h, l, c, v, w, n } = bars
  return {
    bars: { t: of(t), o: of(o), h: of(h), l: of(l), c: of(c), v: of(v), w: of(w), n: of(n) },
    done: { ...done, bars: indices.length },
  }
}
