/** `npm run bench [decode relay callers bridges pipeline planning memory tick completeness]`: runs the benchmarks, prints their tables, and what they were held against. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { benchBridges } from './bridges.ts'
import { benchCallers } from './callers.ts'
import { benchCompleteness } from './completeness.ts'
import { benchDecode } from './decode.ts'
import { type Figure, holds } from './figure.ts'
import { benchMemory } from './memory.ts'
import { benchPipeline } from './pipeline.ts'
import { benchPlanning } from './planning.ts'
import { benchRelay } from './relay.ts'
import { benchTick } from './tick.ts'

const BENCHES: Readonly<Record<string, () => Promise<Figure[]>>> = {
  decode: benchDecode,
  relay: benchRelay,
  callers: benchCallers,
  bridges: benchBridges,
  pipeline: benchPipeline,
  planning: benchPlanning,
  memory: benchMemory,
  tick: benchTick,
  completeness: benchCompleteness,
}

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(BENCHES)
for (const name of names) {
  if (!BENCHES[name]) throw new Error(`There is no benchmark "${name}"; there are ${Object.keys(BENCHES).join(', ')}.`)
}
// Each runs in a process of its own: none measures the heap and the compiled code that another has left behind.
if (process.send) process.send(await BENCHES[names[0] ?? '']?.(), () => process.disconnect())
else printFigures(await inTurns(names))

async function inTurns(names: readonly string[]): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const name of names) {
    const child = fork(import.meta.filename, [name])
    child.on('message', (reached) => figures.push(...(reached as Figure[])))
    const [status] = await once(child, 'exit')
    if (status !== 0) throw new Error(`The benchmark "${name}" ended with ${status}.`)
  }
  return figures
}

function printFigures(figures: readonly Figure[]): void {
  console.log('\nFigures')
  console.table(
    figures.map((figure) => ({
      figure: figure.name,
      reached: Number(figure.reached.toPrecision(4)).toLocaleString('en'),
      expected:
        figure.atLeast === undefined
          ? `≤ ${figure.atMost?.toLocaleString('en')}`
          : `≥ ${figure.atLeast.toLocaleString('en')}`,
      holds: holds(figure) ? 'yes' : 'NO',
    })),
  )
}
