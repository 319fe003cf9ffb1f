import { askBars, metricOf } from './ask.ts'
import { startBridge, startChild } from './child.ts'
import type { Figure } from './figure.ts'

const CALLERS = 200
const SECONDS = 60
/** Not counted: V8 still compiles what it meets for the first time. */
const WARM_UP_SECONDS = 5
const BARS = 1000
/** The messages a second that are IBKR's limit less our margin: the callers together want far more. */
const RATE = 45
/** Some callers wait as long as it takes, some hardly at all: those are told to come again. */
const PATIENCE_MS = [0, 500, 10_000, 30_000]
const BUSY = 429
const MAX_LAG_MS = 20
/** Whoever is told to come again does so when told, and no earlier than this. */
const AGAIN_MS = 250

/** Two hundred callers at once for a minute: nobody gets an error but `busy`, and the bridge's event loop stays free. */
export async function benchCallers(): Promise<Figure[]> {
  const gateway = await startChild('gateway.ts', String(BARS))
  const bridge = await startBridge(gateway.said, String(RATE))
  const statuses = new Map<number, number>()
  let asked = 0
  const lag = 'event_loop_lag_seconds{quantile="0.99"}'
  const call = async (caller: number, untilMs: number) => {
    const waitMs = PATIENCE_MS[caller % PATIENCE_MS.length]
    while (performance.now() < untilMs) {
      const { status, retryAfterMs } = await askBars(bridge.said, asked++, { waitMs, caller: `caller-${caller}` })
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      if (status === BUSY) await new Promise((resolve) => setTimeout(resolve, Math.max(AGAIN_MS, retryAfterMs)))
    }
  }
  const run = (seconds: number) => {
    const untilMs = performance.now() + seconds * 1000
    return Promise.all(Array.from({ length: CALLERS }, (_, caller) => call(caller, untilMs)))
  }
  await run(WARM_UP_SECONDS)
  await metricOf(bridge.said, lag)
  statuses.clear()
  await run(SECONDS)
  const lagMs = 1000 * (await metricOf(bridge.said, lag))
  await bridge.stop()
  await gateway.stop()
  const answered = statuses.get(200) ?? 0
  const errors = [...statuses].filter(([status]) => status !== 200 && status !== BUSY)
  console.log(`\n${CALLERS} callers at once for ${SECONDS} s`)
  console.table([
    {
      answered,
      busy: statuses.get(BUSY) ?? 0,
      errors: errors.map(([status, count]) => `${count} × ${status}`).join(', ') || 'none',
      'event-loop lag p99, ms': lagMs.toFixed(1),
    },
  ])
  return [
    { name: 'callers, errors but busy', reached: errors.reduce((sum, [, count]) => sum + count, 0), atMost: 0 },
    { name: 'callers, answered of what the rate allows', reached: answered / (SECONDS * RATE), atLeast: 0.95 },
    { name: 'callers, event-loop lag p99, ms', reached: lagMs, atMost: MAX_LAG_MS },
  ]
}
