/**
 * The bridge alone in a process: relays two million bars over HTTP, and prints its memory after each tenth of them as one
 * line of JSON. Before that it relays some, so that the answers it keeps for sharing have reached their bound.
 */

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createBridge, readSettings } from '@tidegate/bridge'
import { createRelay } from '@tidegate/relay'
import { startChild } from './child.ts'

const BARS = 5000
const PARTS = 10
const WARM_UP_PARTS = 2
const REQUESTS_A_PART = 40
const KEY = 'a-key-for-the-benchmark-of-32-characters'
const quiet = () => {}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const gateway = await startChild('gateway.ts', String(BARS))
const settings = readSettings({ IBKR_PORT: gateway.said, BRIDGE_KEY: KEY, BRIDGE_PORT: '0' })
const bridge = await createBridge({
  settings: { ...settings, messagesPerSec: 1_000_000 },
  log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
  untilReady: true,
})
if (!bridge.url) throw new Error('The bridge does not listen.')
const relay = createRelay({ url: bridge.url, key: KEY })
const samples: { bars: number; residentMb: number; heapMb: number }[] = []
const sample = (bars: number) => {
  collect()
  const { rss, heapUsed } = process.memoryUsage()
  samples.push({ bars, residentMb: rss / 2 ** 20, heapMb: heapUsed / 2 ** 20 })
}
const startSec = Date.UTC(2024, 0, 1) / 1000
let asked = 0
for (let part = 1 - WARM_UP_PARTS; part <= PARTS; part++) {
  for (let i = 0; i < REQUESTS_A_PART; i++) {
    const { done } = await relay.bars({
      contract: { secType: 'STK', symbol: 'AAPL', exchange: 'SMART', currency: 'USD' },
      barSize: '1 min',
      whatToShow: 'TRADES',
      end: startSec + asked * 60,
      duration: '1 D',
    })
    asked++
    if (done.bars !== BARS) throw new Error(`The reply held ${done.bars} bars, not ${BARS}.`)
  }
  if (part >= 0) sample(part * REQUESTS_A_PART * BARS)
}
console.log(JSON.stringify(samples))
await gateway.stop()
await bridge.close()
