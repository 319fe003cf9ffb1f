import type { ContractDetails, DatasetDefinition } from '@tidegate/core'
import { createStore, type Database } from '@tidegate/db'
import { createIngest, type Ingest } from '@tidegate/ingest'
import type { Relay } from '@tidegate/relay'
import { sql } from 'drizzle-orm'
import { onEachDatabase } from './databases.ts'
import { detailsOf } from './details.ts'
import type { Figure } from './figure.ts'
import { quiet } from './quiet.ts'

const SERIES = 10_000
const DATASETS = 10
const ROUNDS = 7
const MOST_MS = 200
const MINUTE_SEC = 60
/** A Wednesday, 18:00 UTC. */
const NOW_SEC = Date.UTC(2026, 3, 8, 18) / 1000

/**
 * A tick with nothing to do over 10,000 series, in ten datasets of half minute bars and half daily ones, each covered up to
 * what is final: while nothing is due, and while all of it is. What it takes, and how many statements it sends.
 */
export async function benchTick(): Promise<Figure[]> {
  const rows: Record<string, string>[] = []
  const figures: Figure[] = []
  await onEachDatabase(async (name, open) => {
    const database = counting(await open())
    await fill(database)
    const clock = { sec: NOW_SEC }
    const ingest = ingestOver(database, clock)
    for (const [what, isDue] of [
      ['nothing is due', false],
      ['all is due, and covered', true],
    ] as const) {
      const { ms, statements } = await measure(ingest, database, clock, isDue)
      rows.push({ database: name, tick: what, 'ms, median': ms.toFixed(1), statements: statements.join(', ') })
      figures.push({ name: `tick over ${SERIES} series, ${what}, ${name}: ms`, reached: ms, atMost: MOST_MS })
      const reads = statements.filter((kind) => kind === 'read').length
      figures.push({ name: `tick over ${SERIES} series, ${what}, ${name}: queries`, reached: reads, atMost: 1 })
    }
    await database.close()
  })
  console.log('\nA tick with nothing to do')
  console.table(rows)
  return figures
}

interface CountingDatabase extends Database {
  /** What was sent since it was last emptied: whether it reads or writes. */
  readonly sent: ('read' | 'write')[]
}

function counting(database: Database): CountingDatabase {
  const sent: ('read' | 'write')[] = []
  return {
    ...database,
    sent,
    async rows(statement) {
      sent.push(/\b(update|insert into|delete from)\b/i.test(JSON.stringify(statement.queryChunks)) ? 'write' : 'read')
      return database.rows(statement)
    },
  }
}

async function measure(ingest: Ingest, database: CountingDatabase, clock: { sec: number }, isDue: boolean) {
  const times: number[] = []
  let statements: readonly string[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const when = isDue ? sql`to_timestamp(${clock.sec}::float8)` : sql`to_timestamp(${clock.sec + MINUTE_SEC}::float8)`
    await database.rows(sql`update datasets set due_at = ${when}`)
    database.sent.length = 0
    const begun = performance.now()
    const { chunks } = await ingest.tick()
    times.push(performance.now() - begun)
    if (chunks !== 0) throw new Error(`There was something to do: ${chunks} chunks.`)
    statements = [...database.sent]
  }
  const ms = times.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? Number.NaN
  return { ms, statements }
}

/** Instruments with details as long as IBKR's, series, and coverage of ten years with two holes that were found empty. */
async function fill(database: Database): Promise<void> {
  const store = createStore(database)
  const per = SERIES / DATASETS / 2
  for (let n = 0; n < DATASETS; n++) {
    const definition: DatasetDefinition = {
      name: `dataset-${n}`,
      instruments: Array.from({ length: per }, (_, i) => `S${n * per + i}.NASDAQ`),
      specs: ['1MIN', 'DAILY'],
      since: '2016-04-08',
      hours: 'regular',
      schedule: { every: '1m' },
    }
    await database.rows(sql`
      insert into instruments (id, details, updated_at)
      select value, ${JSON.stringify(longDetails())}::jsonb || jsonb_build_object('longName', value), now()
      from jsonb_array_elements_text(${JSON.stringify(definition.instruments)}::jsonb)`)
    await store.putDataset(definition, NOW_SEC)
    await store.linkDataset(definition)
  }
  // Up to what is final: the minute before the last, and yesterday.
  const end = sql`case s.spec when '1-DAY-LAST' then '2026-04-08Z' else to_timestamp(${NOW_SEC - MINUTE_SEC}::float8) end`
  await database.rows(sql`
    insert into coverage (series_id, state, windows)
    select s.id, state, case state
      when 'filled' then tstzmultirange(tstzrange('2016-04-08Z', '2019-01-01Z'), tstzrange('2019-01-02Z', '2022-12-24Z'), tstzrange('2022-12-25Z', ${end}))
      else tstzmultirange(tstzrange('2019-01-01Z', '2019-01-02Z'), tstzrange('2022-12-24Z', '2022-12-25Z')) end
    from series s, unnest(array['filled', 'empty']) state`)
  await database.rows(sql`analyze`)
}

/** As long as IBKR's. */
function longDetails(): ContractDetails {
  const hours = Array.from({ length: 6 }, (_, i) => `2026040${i + 1}:0400-2026040${i + 1}:2000`).join(';')
  const exchanges = 'SMART,AMEX,NYSE,CBOE,PHLX,ISE,CHX,ARCA,NASDAQ,DRCTEDGE,BEX,BATS,EDGEA,BYX,IEX,EDGX,FOXRIVER,PEARL'
  return detailsOf({
    ...{ tradingHours: hours, liquidHours: hours, industry: 'Technology', category: 'Computers' },
    validExchanges: exchanges.split(','),
  })
}

function ingestOver(database: Database, clock: { readonly sec: number }): Ingest {
  const unused = async (): Promise<never> => {
    throw new Error('Nothing is asked of a gateway here.')
  }
  const relay = new Proxy({}, { get: () => unused }) as Relay
  return createIngest({
    ...{ store: createStore(database), relay, queue: { send: unused, consume: unused }, log: quiet },
    ...{ now: () => clock.sec * 1000, random: Math.random, newId: () => crypto.randomUUID() },
  })
}
