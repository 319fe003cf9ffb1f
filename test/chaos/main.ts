import { parseArgs } from 'node:util'
import { openPglite } from '@tidegate/db'
import { type Outcome, runChaos } from './run.ts'

const USAGE = 'Usage: npm run test:chaos -- [--runs N] [--seed S] [--verbose]'
const MOST_SEED = 2 ** 32 - 1

/** A whole number of the command line. Throws with what was expected. */
function whole(name: string, text: string, most: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value <= most) return value
  throw new Error(`--${name} ${text}: expected a whole number from 0 to ${most}. ${USAGE}`)
}

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '50' }, seed: { type: 'string' }, verbose: { type: 'boolean' } },
})
const runs = whole('runs', values.runs, 1_000_000)
const seed = values.seed === undefined ? Math.floor(Math.random() * 1e6) : whole('seed', values.seed, MOST_SEED)

console.log(`${runs} runs from seed ${seed}.`)
const database = await openPglite()
await database.migrate()
const isTerminal = process.stdout.isTTY === true
const failed: Outcome[] = []
const totals = { bars: 0, series: 0, requests: 0, deaths: 0, kills: 0, events: 0 }
const beganMs = performance.now()
for (let n = 0; n < runs; n++) {
  const outcome = await runChaos(seed + n, { database, ...(values.verbose ? { print: console.log } : {}) })
  for (const name of Object.keys(totals) as (keyof typeof totals)[]) totals[name] += outcome[name]
  if (outcome.faults.length > 0) {
    failed.push(outcome)
    report(outcome)
  }
  if (values.verbose) console.log(`seed ${outcome.seed}: ${JSON.stringify(outcome)}`)
  progress(n + 1)
}
await database.close()
console.log(`${isTerminal ? '\n' : ''}${summary()}`)
if (failed.length > 0) {
  console.log(`${failed.length} of ${runs} runs failed: seeds ${failed.map((one) => one.seed).join(', ')}.`)
  process.exitCode = 1
}

function report({ seed: own, faults, digest }: Outcome): void {
  console.log(`${isTerminal ? '\n' : ''}Seed ${own} failed (${digest}):`)
  for (const fault of faults.slice(0, 12)) console.log(`  ${fault}`)
  if (faults.length > 12) console.log(`  … and ${faults.length - 12} more`)
  console.log(`  Replay: npm run test:chaos -- --runs 1 --seed ${own} --verbose`)
}

function progress(done: number): void {
  const line = `${done} of ${runs} runs, ${failed.length} failed, ${secondsEach(done)} s each`
  if (isTerminal) process.stdout.write(`\r${line}  `)
  else if (done % 25 === 0) console.log(line)
}

function secondsEach(done: number): string {
  return ((performance.now() - beganMs) / 1000 / Math.max(done, 1)).toFixed(2)
}

function summary(): string {
  const { bars, series, requests, deaths, kills, events } = totals
  return (
    `${runs} runs, ${failed.length} failed, ${secondsEach(runs)} s each: ${series} series, ${bars} bars compared, ` +
    `${requests} messages to the gateway, ${deaths} functions and ${kills} bridges killed, ${events} events told.`
  )
}
