/** `npm run bench:pacing`: how long pacing takes for fixed mixes by a simulated clock, against the best time that the rules allow. */
import { createPacing } from '@tidegate/bridge'
import { createPacingJudge } from '@tidegate/simulator'
import { createSwiftClock } from '../../../bridge/test/swift.ts'
import { bestSec } from './best.ts'
import { MIXES, type Mix } from './mixes.ts'

/** Time taken by the best time that the rules allow. */
const AT_MOST = 1.02
/** Requests of one load that wait at once: enough that there is always one. */
const WAITING = 100
/** A request waits as long as it takes: the day is its patience. */
const PATIENCE_MS = 1e9

const rows = []
for (const mix of MIXES) rows.push(await measure(mix))
console.table(rows)
if (rows.some((row) => row.ratio > AT_MOST || row.violations > 0)) {
  console.error(`Expected a ratio of at most ${AT_MOST} in every mix, and no violation.`)
  process.exitCode = 1
}

async function measure({ name, loads }: Mix) {
  const clock = createSwiftClock()
  const pacing = createPacing({ clock })
  const judge = createPacingJudge({ identicalMinutes: true })
  const startMs = clock.now()
  let lastMs = startMs
  let requests = 0
  let violations = 0
  for (const load of loads) {
    let left = load.count
    const next = () => {
      if (left-- <= 0) return
      const id = String(left)
      const rule = { ...load.rule, contract: id, exchange: 'SMART', identity: `${load.name} ${id}` }
      void pacing
        .run({ priority: 'backfill', waitMs: PATIENCE_MS, caller: load.name, rule }, () => {
          lastMs = clock.now()
          requests++
          for (const found of [
            judge.message(lastMs, 1),
            judge.request(lastMs, rule),
            judge.opened(lastMs, rule.identity),
          ])
            if (found) violations++
          return new Promise<void>((resolve) => clock.after(load.lastsMs, resolve))
        })
        .then(() => judge.ended(rule.identity))
        .then(next)
    }
    for (let i = 0; i < WAITING; i++) next()
  }
  // Patience timers are called off as requests go, so that the clock runs dry with the last of them.
  await clock.runUntil(startMs + PATIENCE_MS)
  const tookSec = (lastMs - startMs) / 1000
  const best = bestSec(loads)
  return {
    mix: name,
    requests,
    'took (s)': Math.round(tookSec),
    'best (s)': Math.round(best),
    ratio: Number((tookSec / best).toFixed(4)),
    violations,
  }
}
