import type { ContractDetails, DatasetDefinition, Window } from '@tidegate/core'
import { createStore, type Database, type Store } from '@tidegate/db'
import { type ChunkQueue, createIngest, type Ingest, type IngestOptions, type WorkResult } from '@tidegate/ingest'
import type { Relay } from '@tidegate/relay'
import { sql } from 'drizzle-orm'
import { beforeEach } from 'vitest'
import { wipe } from '../../../test/support/wipe.ts'
import { eachDatabase } from './database.ts'
import { type Market, STOCKS } from './market.ts'
import { createFakeRelay, type FakeRelay } from './relay.ts'

export interface TestQueue extends ChunkQueue {
  /** What was sent and not yet worked on: chunk ids and when each is due, epoch milliseconds. */
  readonly messages: { readonly chunkId: string; readonly dueMs: number; readonly urgency: number }[]
}

/** A dataset to be varied. */
export const DATASET: DatasetDefinition = {
  name: 'd',
  instruments: ['AAPL.NASDAQ'],
  specs: ['1-MINUTE-LAST'],
  since: '2026-03-02',
  hours: 'regular',
  schedule: { every: '1m' },
}

/** An ingest with everything around it in a test's hands. */
export interface World {
  readonly ingest: Ingest
  readonly store: Store
  readonly relay: FakeRelay
  readonly queue: TestQueue
  readonly clock: { nowMs: number }
  /** Another ingest over the same parts, some of them replaced. */
  another(parts: Partial<IngestOptions>): Ingest
  /** Works on what is due, and on what becomes due within `forSec`, moving the clock; on `most` messages. */
  drain(options?: { readonly forSec?: number; readonly most?: number; readonly ingest?: Ingest }): Promise<WorkResult[]>
}

export function detailsOf(symbol: string, secType: 'STK' | 'CASH' | 'FUT' = 'STK', conId = 265598): ContractDetails {
  const exchange = { STK: 'SMART', CASH: 'IDEALPRO', FUT: 'CME' }[secType]
  const primary = secType === 'STK' ? { primaryExchange: 'NASDAQ' } : {}
  return {
    contract: { conId, symbol, localSymbol: symbol, secType, exchange, currency: 'USD', ...primary },
    longName: symbol,
    minTick: 0.01,
    priceMagnifier: 1,
    timeZoneId: 'US/Eastern',
    tradingHours: '',
    liquidHours: '',
    stockType: '',
    industry: '',
    category: '',
    contractMonth: '',
    realExpirationDate: '',
    underConId: 0,
    minSize: 1,
    sizeIncrement: 1,
    validExchanges: [],
    secIds: {},
  }
}

const DETAILS = [detailsOf('AAPL'), detailsOf('MSFT', 'STK', 272093), detailsOf('EUR', 'CASH', 12087792)]

export function createWorld(database: Database, nowSec: number, market: Market = STOCKS): World {
  const clock = { nowMs: nowSec * 1000 }
  const now = () => clock.nowMs
  const store = createStore(database)
  const relay = createFakeRelay(market, now, DETAILS)
  const messages: { chunkId: string; dueMs: number; urgency: number }[] = []
  const queue: TestQueue = {
    messages,
    async send(chunkIds, delaySec = 0, urgency = 0) {
      for (const chunkId of chunkIds) messages.push({ chunkId, dueMs: clock.nowMs + delaySec * 1000, urgency })
    },
    async consume() {
      throw new Error('A test works on its messages by hand.')
    },
  }
  let ids = 0
  const silent = { info: () => {}, warn: () => {}, error: () => {} }
  const newId = () => `run-${clock.nowMs}-${++ids}`
  const parts: IngestOptions = {
    store,
    relay,
    queue,
    now,
    random: () => 0.5,
    newId,
    log: silent,
    pause: async () => {},
  }
  const ingest = createIngest(parts)
  return {
    ingest,
    store,
    relay,
    queue,
    clock,
    another: (others) => createIngest({ ...parts, ...others }),
    async drain({ forSec = 0, most, ingest: worker = ingest } = {}) {
      const until = clock.nowMs + forSec * 1000
      const results: WorkResult[] = []
      for (;;) {
        // As the engine does: of what is due the most urgent, else what is due first.
        const late = ({ dueMs }: { dueMs: number }) => Math.max(dueMs, clock.nowMs)
        messages.sort((a, b) => late(a) - late(b) || b.urgency - a.urgency)
        const next = messages[0]
        if (!next || next.dueMs > until || results.length === most) return results
        messages.shift()
        clock.nowMs = Math.max(clock.nowMs, next.dueMs)
        results.push(await worker.work(next.chunkId))
      }
    },
  }
}

export interface Worlds {
  /** To be read in tests alone: it is another one in each. */
  readonly world: World
  readonly database: Database
  /** Begins anew in the midst of a test. */
  open(options?: { readonly nowSec?: number; readonly market?: Market }): Promise<void>
}

/** A world of its own for each test of a file, over an empty database. */
export function eachWorld(now: number, usual: Market = STOCKS): Worlds {
  const database = eachDatabase()
  let opened: World | undefined
  const there = () => {
    if (!opened) throw new Error('The world is opened before each test.')
    return opened
  }
  beforeEach(() => {
    opened = createWorld(database, now, usual)
  })
  const world: World = {
    get ingest() {
      return there().ingest
    },
    get store() {
      return there().store
    },
    get relay() {
      return there().relay
    },
    get queue() {
      return there().queue
    },
    get clock() {
      return there().clock
    },
    another: (parts) => there().another(parts),
    drain: (options) => there().drain(options),
  }
  return {
    world,
    database,
    async open({ nowSec = now, market = usual } = {}) {
      await wipe(database)
      opened = createWorld(database, nowSec, market)
    },
  }
}

/** Everything covered, whichever state, by the store's own word. */
export async function coveredOf(store: Store, spec: string): Promise<readonly Window[]> {
  return (await store.series({ specs: [spec] }))[0]?.covered ?? []
}

export async function statesOf(database: Database): Promise<string[]> {
  const rows = await database.rows<{ state: string }>(
    sql`select state from coverage where windows <> '{}' order by state`,
  )
  return rows.map((row) => row.state)
}

/** The relay with some methods replaced. */
export function relayWith(relay: Relay, methods: Partial<Relay>): Relay {
  return { ...relay, ...methods }
}
