import { BarSizeSetting, EventName, IBApi, type WhatToShow } from '@stoqey/ib'
import { askBars } from './ask.ts'
import { startBridge, startChild } from './child.ts'
import type { Figure } from './figure.ts'

/** A small reply, so that what is measured is the way and not the decoding. */
const BARS = 10
const WARM_UP = 300
const REQUESTS = 2000
const MORE_MS = { p50: 1, p99: 5 }

/** How much longer a request takes through the bridge, over HTTP, than the same straight on the gateway's socket. */
export async function benchRelay(): Promise<Figure[]> {
  const gateway = await startChild('gateway.ts', String(BARS))
  const bridge = await startBridge(gateway.said, '1000000')
  const straight = await connectStraight(Number(gateway.said))
  const ms = { straight: [] as number[], bridge: [] as number[] }
  // In turns, so that whatever else the machine does befalls both alike.
  for (let n = 0; n < WARM_UP + REQUESTS; n++) {
    const times = { straight: await timed(straight.ask), bridge: await timed(() => askBars(bridge.said, n)) }
    if (n < WARM_UP) continue
    ms.straight.push(times.straight)
    ms.bridge.push(times.bridge)
  }
  straight.close()
  await bridge.stop()
  await gateway.stop()
  const rows = Object.entries(ms).map(([way, all]) => ({
    way,
    'p50, ms': quantile(all, 0.5),
    'p99, ms': quantile(all, 0.99),
  }))
  console.log(`\nOne request for ${BARS} bars, straight on the socket and through the bridge`)
  console.table(
    rows.map((row) => ({ ...row, 'p50, ms': row['p50, ms'].toFixed(2), 'p99, ms': row['p99, ms'].toFixed(2) })),
  )
  return [
    { name: 'relay, p50 more than straight, ms', reached: more(ms, 0.5), atMost: MORE_MS.p50 },
    { name: 'relay, p99 more than straight, ms', reached: more(ms, 0.99), atMost: MORE_MS.p99 },
  ]
}

/** A client of the library alone. */
async function connectStraight(port: number): Promise<{ ask(): Promise<void>; close(): void }> {
  const ib = new IBApi({ host: '127.0.0.1', port, clientId: 9, maxReqPerSec: 1_000_000 })
  const ready = new Promise((resolve) => ib.once(EventName.nextValidId, resolve))
  ib.connect()
  await ready
  let id = 0
  const contract = { secType: 'STK' as never, symbol: 'AAPL', exchange: 'SMART', currency: 'USD' }
  return {
    ask: () =>
      new Promise((resolve) => {
        const listen = (_id: number, date: string) => {
          if (!date.startsWith('finished-')) return
          ib.off(EventName.historicalData, listen)
          resolve()
        }
        ib.on(EventName.historicalData, listen)
        // biome-ignore format: one call, one line a group of its parameters.
        ib.reqHistoricalData(++id, contract, '', '1 D',
          BarSizeSetting.MINUTES_ONE, 'TRADES' as WhatToShow, 1, 2, false)
      }),
    close: () => void ib.disconnect(),
  }
}

async function timed(ask: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await ask()
  return performance.now() - begun
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

function more({ straight, bridge }: { straight: number[]; bridge: number[] }, share: number): number {
  return quantile(bridge, share) - quantile(straight, share)
}
