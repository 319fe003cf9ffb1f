import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { type Result, runPool } from './pool.ts'
import type { Outcome } from './run.ts'

const USAGE = 'Usage: npm run test:chaos -- [--runs N] [--seed S] [--workers N] [--verbose]'
const MOST_SEED = 2 ** 32 - 1
const EVERY = 10
/** So many runs are told of one by one. */
const FEW = 20

/** A whole number of the command line. Throws with what was expected. */
function whole(name: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= least && value <= most) return value
  throw new Error(`--${name} ${text}: expected a whole number from ${least} to ${most}. ${USAGE}`)
}

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '50' },
    seed: { type: 'string' },
    workers: { type: 'string', default: String(availableParallelism()) },
    verbose: { type: 'boolean', default: false },
  },
})
const runs = whole('runs', values.runs, 0, 1_000_000)
const first =
  values.seed === undefined ? Math.floor(Math.random() * 1e6) : whole('seed', values.seed, 0, MOST_SEED - runs)
// Two stories at once could not be read.
const workers = values.verbose ? 1 : whole('workers', values.workers, 1, 64)

const isTerminal = process.stdout.isTTY === true
const failed: number[] = []
const totals = { bars: 0, series: 0, requests: 0, deaths: 0, kills: 0, events: 0, splits: 0, adjusted: 0, reads: 0 }
let done = 0
const beganMs = performance.now()

console.log(`${runs} runs from seed ${first}, ${workers} at a time.`)
await runPool({
  seeds: Array.from({ length: runs }, (_, n) => first + n),
  workers,
  onLine: values.verbose ? console.log : undefined,
  onResult(result) {
    done++
    if (result.outcome) add(result.outcome)
    if (isFailed(result)) {
      failed.push(result.seed)
      report(result)
    }
    if (runs <= FEW && !values.verbose && !isFailed(result)) {
      console.log(`${isTerminal ? '\n' : ''}Seed ${result.seed} passed (${result.outcome?.digest}).`)
    }
    if (values.verbose) console.log(`seed ${result.seed}: ${JSON.stringify(result.outcome ?? result.broken)}`)
    progress()
  },
})
console.log(`${isTerminal ? '\n' : ''}${summary()}`)
if (failed.length > 0) {
  console.log(`${failed.length} of ${runs} runs failed: seeds ${failed.join(', ')}.`)
  process.exitCode = 1
}

function add(outcome: Outcome): void {
  for (const name of Object.keys(totals) as (keyof typeof totals)[]) totals[name] += outcome[name]
}

function isFailed({ outcome }: Result): boolean {
  return outcome === undefined || outcome.faults.length > 0
}

function report({ seed, outcome, broken }: Result): void {
  const faults = outcome?.faults ?? [broken]
  console.log(`${isTerminal ? '\n' : ''}Seed ${seed} failed (${outcome?.digest ?? 'no end'}):`)
  for (const fault of faults.slice(0, 12)) console.log(`  ${fault}`)
  if (faults.length > 12) console.log(`  … and ${faults.length - 12} more`)
  console.log(`  Replay: npm run test:chaos -- --runs 1 --seed ${seed} --verbose`)
}

function progress(): void {
  const line = `${done} of ${runs} runs, ${failed.length} failed, ${secondsEach()} s each`
  if (isTerminal) process.stdout.write(`\r${line}  `)
  else if (done % EVERY === 0) console.log(line)
}

function secondsEach(): string {
  return ((performance.now() - beganMs) / 1000 / Math.max(done, 1)).toFixed(2)
}

function summary(): string {
  const { bars, series, requests, deaths, kills, events, splits, adjusted, reads } = totals
  return (
    `${runs} runs, ${failed.length} failed, ${secondsEach()} s each: ${series} series, ${bars} bars compared, ` +
    `${requests} messages to the gateway, ${deaths} functions and ${kills} bridges killed, ${events} events told, ` +
    `${splits} splits, for which ${adjusted} series were adjusted while they were read ${reads} times.`
  )
}
