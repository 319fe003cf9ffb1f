import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { bundle } from '../../scripts/bundle.ts'
import { askBars, metricOf } from './ask.ts'
import { startChild, startProgram } from './child.ts'
import type { Figure } from './figure.ts'
import { BRIDGE_ENV, BRIDGE_FLAGS } from './flags.ts'
import { BENCH_KEY } from './key.ts'

const BARS = 5000
const PARTS = 10
const REQUESTS_A_PART = 200
/** Enough that the answers which the bridge keeps for sharing have reached their bound. */
const WARM_UP_REQUESTS = 200
const AT_ONCE = 4
const MAX_RESIDENT_MB = 150
/** What may be gained from the fifth to the last million, as a share: noise, and nothing that grows. Before, V8 still compiles. */
const MAX_GROWTH = 1.1

/** The bridge's memory while it relays ten million bars: as it is shipped, bundled and alone in its process. */
export async function benchMemory(): Promise<Figure[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'tidegate-bench-'))
  try {
    return await measure(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function measure(folder: string): Promise<Figure[]> {
  const { file } = await bundle('bridge', folder)
  const gateway = await startChild('gateway.ts', String(BARS))
  const bridge = await startProgram([...BRIDGE_FLAGS, file], /"url":"([^"]+)".*the bridge listens/, {
    ...BRIDGE_ENV,
    IBKR_PORT: gateway.said,
    IBKR_RATE_LIMIT: '50',
    BRIDGE_KEY: BENCH_KEY,
    BRIDGE_PORT: '0',
    BRIDGE_STATE: path.join(folder, 'state.jsonl'),
  })
  await ready(bridge.said)
  let asked = 0
  const relay = async (requests: number) => {
    const untilAsked = asked + requests
    const call = async () => {
      while (asked < untilAsked) {
        const { status } = await askBars(bridge.said, asked++)
        if (status !== 200) throw new Error(`The bridge answered ${status}.`)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, call))
  }
  const samples: { bars: number; residentMb: number; heapMb: number; externalMb: number }[] = []
  const sample = async (bars: number) => {
    const residentMb = (await metricOf(bridge.said, 'memory_bytes{part="resident"}')) / 2 ** 20
    const heapMb = (await metricOf(bridge.said, 'memory_bytes{part="heap"}')) / 2 ** 20
    const externalMb = (await metricOf(bridge.said, 'memory_bytes{part="external"}')) / 2 ** 20
    samples.push({ bars, residentMb, heapMb, externalMb })
  }
  await sample(0)
  await relay(WARM_UP_REQUESTS)
  for (let part = 1; part <= PARTS; part++) {
    await relay(REQUESTS_A_PART)
    await sample(part * REQUESTS_A_PART * BARS)
  }
  await bridge.stop()
  await gateway.stop()
  console.log('\nMemory of the bridge while it relays')
  console.table(
    samples.map(({ bars, residentMb, heapMb, externalMb }) => ({
      bars: bars.toLocaleString('en'),
      'resident, MB': residentMb.toFixed(0),
      'heap, MB': heapMb.toFixed(1),
      'buffers, MB': externalMb.toFixed(1),
    })),
  )
  const middle = samples[PARTS / 2]
  const last = samples.at(-1)
  if (!middle || !last) throw new Error('The bridge told no memory.')
  const most = Math.max(...samples.map(({ residentMb }) => residentMb))
  return [
    { name: 'memory, most resident while 10 million bars pass, MB', reached: most, atMost: MAX_RESIDENT_MB },
    {
      name: 'memory, resident after 10 million bars ÷ after five',
      reached: last.residentMb / middle.residentMb,
      atMost: MAX_GROWTH,
    },
  ]
}

/** It listens before the gateway has answered. */
async function ready(url: string): Promise<void> {
  while ((await metricOf(url, 'ready')) !== 1) await new Promise((resolve) => setTimeout(resolve, 20))
}
