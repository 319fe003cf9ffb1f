import type { Window } from '@tidegate/core'
import type { Database } from '@tidegate/db'
import type { SessionsRequest } from '@tidegate/relay'
import { type Market, STOCKS } from './market.ts'
import { scheduleOf } from './schedule.ts'
import { createWorld, type World } from './world.ts'

export interface Scheduled extends World {
  readonly asked: SessionsRequest[]
  fetch(spec: string, window: Window, instrument?: string): Promise<void>
  stored(): Promise<number[]>
}

/** A world whose bridge knows its market's sessions. */
export function createScheduled(database: Database, nowSec: number, market: Market = STOCKS): Scheduled {
  const world = createWorld(database, nowSec, market)
  const asked: SessionsRequest[] = []
  world.relay.sessions = scheduleOf({ current: () => world.relay.market }, () => world.clock.nowMs, asked)
  return {
    ...world,
    asked,
    async fetch(spec, window, instrument = 'AAPL') {
      await world.ingest.start({ instruments: [instrument], specs: [spec], hours: 'regular', window })
      await world.drain()
    },
    async stored() {
      const [series] = await world.store.series()
      return (await world.store.bars(series?.id ?? 0, { start: 0, end: 4e9 }, 1e6)).t
    },
  }
}
