import { startChild } from './child.ts'
import type { Figure } from './figure.ts'

/** What the bridge may gain from the first to the last of two million bars, as a share: noise, and nothing that grows. */
const MAX_GROWTH = 1.1

/** The bridge's memory while it relays two million bars: it runs in a process of its own and reports after every tenth. */
export async function benchMemory(): Promise<Figure[]> {
  const bridge = await startChild('memory-bridge.ts')
  await bridge.stop()
  const samples = JSON.parse(bridge.said) as { bars: number; residentMb: number; heapMb: number }[]
  console.log('\nMemory of the bridge while it relays')
  console.table(
    samples.map(({ bars, residentMb, heapMb }) => ({
      bars: bars.toLocaleString('en'),
      'resident, MB': residentMb.toFixed(0),
      'heap after collection, MB': heapMb.toFixed(1),
    })),
  )
  const first = samples[0]
  const last = samples.at(-1)
  if (!first || !last) throw new Error('The bridge reported no memory.')
  return [
    {
      name: 'memory, resident after 2 million bars ÷ before',
      reached: last.residentMb / first.residentMb,
      atMost: MAX_GROWTH,
    },
    { name: 'memory, heap after 2 million bars ÷ before', reached: last.heapMb / first.heapMb, atMost: MAX_GROWTH },
  ]
}
