/** `npm run bench [decode relay callers bridges pipeline planning memory tick completeness]`: runs the benchmarks, prints their tables, and what they were held against. */
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
const figures: Figure[] = []
for (const name of names) {
  const bench = BENCHES[name]
  if (!bench) throw new Error(`There is no benchmark "${name}"; there are ${Object.keys(BENCHES).join(', ')}.`)
  figures.push(...(await bench()))
}
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
