import { createStore, openTcp } from '@tidegate/db'
import { createIngest, type Log, type WorkResult } from '@tidegate/ingest'
import { createRelay, createRelays, type NamedBridge } from '@tidegate/relay'
import { startPostgres } from '../support/postgres.ts'
import { type Child, startBridge, startChild } from './child.ts'
import type { Figure } from './figure.ts'
import { BENCH_KEY } from './key.ts'

/** So few messages a second that IBKR's rule binds and not this machine: it could do a hundred times as many. */
const RATE = 2
/** As a worker on Node has them for each login. */
const AT_ONCE = 16
/** Many contracts, lest the rule for one contract bind. */
const INSTRUMENTS = ['AAPL', 'MSFT', 'NVDA', 'AMZN', 'GOOGL', 'META', 'TSLA', 'JPM', 'KO', 'IBM', 'SPY', 'QQQ']
/** Of so few bars a request that neither storing them nor making them up takes much. */
const WINDOW = { start: Date.UTC(2023, 2, 1) / 1000, end: Date.UTC(2024, 6, 1) / 1000 }
/** What is counted: the bursts at the beginning and what runs dry at the end are neither's speed. */
const COUNTED = { from: 0.15, to: 0.8 }
const LEAST_RATIO = 1.9

const nothing = () => {}
const quiet: Log = { info: nothing, warn: nothing, error: nothing }

/**
 * The same work over one bridge and over two, each with a simulator of its own that judges pacing strictly: by how much
 * more goes. What binds is the message rate, set so low that everything else has room: the share of this machine that the
 * work takes is told beside it.
 */
export async function benchBridges(): Promise<Figure[]> {
  const rows: Record<string, string>[] = []
  const rates: number[] = []
  // In a process of its own: an embedded database would hold up this one, which every answer passes through.
  const postgres = await startPostgres()
  for (const count of [1, 2]) {
    const children: Child[] = []
    try {
      const bridges: NamedBridge[] = []
      const shares: { asked: number }[] = []
      for (let i = 1; i <= count; i++) {
        const simulator = await startChild('simulator.ts')
        children.push(simulator)
        const bridge = await startBridge(simulator.said, String(RATE))
        children.push(bridge)
        const relay = createRelay({ url: bridge.said, key: BENCH_KEY })
        const share = { asked: 0 }
        shares.push(share)
        bridges.push({
          name: `bridge-${i}`,
          relay: {
            ...relay,
            bars(request, signal) {
              share.asked++
              return relay.bars(request, signal)
            },
          },
        })
      }
      const { perSec, chunks, tookSec, busyShare } = await fetchOver(bridges, await postgres.freshDatabase())
      rates.push(perSec)
      rows.push({
        bridges: String(count),
        'chunks, asked of each': `${chunks}, ${shares.map(({ asked }) => asked).join(' + ')}`,
        'took, s': tookSec.toFixed(1),
        'chunks/s, of what the rate allows': `${perSec.toFixed(2)} of ${RATE * count}`,
        'a core, busy': `${(busyShare * 100).toFixed(0)} %`,
      })
    } finally {
      await Promise.all(children.map((child) => child.stop()))
    }
  }
  await postgres.close()
  console.log('\nOne bridge and two, each with a login of its own')
  console.table(rows)
  const [one = 0, two = 0] = rates
  return [{ name: 'two bridges ÷ one, chunks a second', reached: two / one, atLeast: LEAST_RATIO }]
}

async function fetchOver(bridges: readonly NamedBridge[], url: string) {
  const database = openTcp(url)
  await database.migrate()
  const queue: string[] = []
  const ingest = createIngest({
    store: createStore(database),
    relay: createRelays(bridges, { now: Date.now }),
    queue: { send: async (ids) => void queue.push(...ids), consume: async () => {} },
    now: Date.now,
    random: Math.random,
    newId: () => crypto.randomUUID(),
    log: quiet,
    logins: bridges.length,
  })
  const request = { specs: ['5-MINUTE-LAST'], hours: 'regular', window: WINDOW, priority: 'backfill' } as const
  const { chunks } = await ingest.start({ ...request, instruments: INSTRUMENTS })
  // Its sessions are asked for once and known from then on: they are no part of what is compared.
  check(await ingest.work(queue.shift() ?? ''))
  const doneAtMs: number[] = []
  const [begunMs, cpu] = [performance.now(), process.cpuUsage()]
  await Promise.all(
    Array.from({ length: AT_ONCE * bridges.length }, async () => {
      for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
        check(await ingest.work(id))
        doneAtMs.push(performance.now())
      }
    }),
  )
  const tookMs = performance.now() - begunMs
  const used = process.cpuUsage(cpu)
  await database.close()
  const [from, to] = [COUNTED.from, COUNTED.to].map((share) => Math.floor(doneAtMs.length * share))
  const spanMs = (doneAtMs[to ?? 0] ?? 0) - (doneAtMs[from ?? 0] ?? 0)
  return {
    chunks,
    tookSec: tookMs / 1000,
    perSec: ((to ?? 0) - (from ?? 0)) / (spanMs / 1000),
    busyShare: (used.user + used.system) / 1000 / tookMs,
  }
}

function check({ outcome, error }: WorkResult): void {
  if (outcome !== 'done') throw new Error(`A chunk ended ${outcome}: ${error?.message}`)
}
