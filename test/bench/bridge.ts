/**
 * The bridge alone in a process. `node bridge.ts PORT RATE` connects it to the gateway at PORT, lets RATE messages a
 * second go, and prints where it listens. What it needs is asked of its own /metrics.
 */
import { createBridge, readSettings } from '@tidegate/bridge'
import { BENCH_KEY } from './key.ts'

const [port = '', rate = ''] = process.argv.slice(2)
const quiet = () => {}
const settings = readSettings({ IBKR_PORT: port, BRIDGE_KEY: BENCH_KEY, BRIDGE_PORT: '0' })
const bridge = await createBridge({
  settings: { ...settings, messagesPerSec: Number(rate) },
  log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
  untilReady: true,
})
console.log(bridge.url)
