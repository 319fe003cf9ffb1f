import { HOURS, type Hours, PRIORITIES, type Priority, type TidegateError, toTidegateError } from '@tidegate/core'
import type { GatewayEvent } from '@tidegate/simulator'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { runConnect } from './commands/connect.ts'
import { runFetch } from './commands/fetch.ts'
import { runMigrate } from './commands/migrate.ts'
import { runSeries } from './commands/series.ts'
import { runSimulate } from './commands/simulate.ts'
import { runStart } from './commands/start.ts'
import { runStatus } from './commands/status.ts'
import type { Context } from './context.ts'
import { faultOptions, faultsOf } from './faults.ts'
import { FIRST_DATASET, type FirstPart } from './first.ts'
import { marketEventsOf, marketOptions } from './market.ts'

const VERSION = '0.1.0'
const USAGE_ERROR = 2
const INTERRUPTED = 130
/** A person waits: much less than the five minutes a service gives a gateway that is still logging in. */
const TIMEOUT_SEC = 15
const SIMULATOR_PORT = 4002
const PACING = ['strict', 'lenient'] as const

const EXAMPLES = `
Examples:
  tidegate start                      simulator, bridge and functions, with a first dataset
  tidegate connect                    how the gateway at IBKR_HOST:IBKR_PORT is connected
  tidegate fetch --instruments AAPL,EUR/USD --start 2024-01-02 --end 2024-02-01 --timeframe 1MIN
  tidegate fetch --instruments ESZ6.CME --start 2026-01-01 --timeframe 1HOUR,DAILY --dry-run
  tidegate simulate --replay GBP/USD.IDEALPRO=bid.csv.gz --replay GBP/USD.IDEALPRO=ask.csv.gz

Settings come from the environment and from .env in the current folder; .env.example lists them all.`

export interface ProgramOptions {
  /** What `start` fills first. */
  readonly first?: readonly FirstPart[]
}

/** Runs one command line, without the program's own name. Returns the exit status: 0 done, 1 failed, 2 misused, 130 interrupted. */
export async function run(argv: readonly string[], context: Context, options: ProgramOptions = {}): Promise<number> {
  let status = 0
  const program = createProgram(context, options, (result) => {
    status = result
  })
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return status
  } catch (cause) {
    if (cause instanceof CommanderError) return cause.exitCode === 0 ? 0 : USAGE_ERROR
    context.err(errorText(toTidegateError(cause), program.opts<{ verbose?: boolean }>().verbose ?? false))
    return context.signal.aborted ? INTERRUPTED : 1
  }
}

function createProgram(
  context: Context,
  { first = FIRST_DATASET }: ProgramOptions,
  done: (status: number) => void,
): Command {
  const program = new Command('tidegate')
    .description('Keeps a Postgres or TimescaleDB database complete and current with Interactive Brokers market data.')
    .version(VERSION)
    .option('--verbose', 'say on standard error what happens inside, and the cause of an error')
    .addHelpText('after', EXAMPLES)
    .exitOverride()
    .configureOutput({
      writeOut: context.out,
      writeErr: context.err,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
  const verbose = () => program.opts<{ verbose?: boolean }>().verbose ?? false
  const timeout = () =>
    new Option('--timeout <seconds>', 'how long the gateway may take to answer').argParser(seconds).default(TIMEOUT_SEC)
  const waiting = ({ timeout }: { timeout: number }) => ({ timeoutMs: timeout * 1000, verbose: verbose() })

  program
    .command('start')
    .description('bring up simulator (or the gateway of IBKR_HOST), bridge and functions; fill a first dataset; serve')
    .option('--once', 'end after the first fill')
    .option('--port <port>', 'where the functions listen (default: FUNCTIONS_PORT or 8080)', portNumber)
    .action(async ({ once = false, port }: { once?: boolean; port?: number }) =>
      done(await runStart(context, { once, port, verbose: verbose(), first })),
    )
  program
    .command('connect')
    .description('connect to the gateway and say how it is connected')
    .addOption(timeout())
    .action(async (given: { timeout: number }) => done(await runConnect(context, waiting(given))))
  program
    .command('fetch')
    .description('fetch what is missing of a window [start, end), UTC')
    .requiredOption('--instruments <ids>', 'instrument ids or bare names, separated by commas', list)
    .requiredOption('--timeframe <specs>', '1MIN, 5MIN, 1HOUR, DAILY or bar specifications, separated by commas', list)
    .requiredOption('--start <instant>', 'a date or a UTC time, inclusive: 2024-01-02, 2024-01-02T09:30Z')
    .option('--end <instant>', 'exclusive (default: now)')
    .addOption(new Option('--hours <hours>', 'which hours of a day').choices(HOURS))
    .addOption(new Option('--priority <priority>', 'what goes first at the gateway').choices(PRIORITIES))
    .option('--dry-run', 'print the plan and ask nothing')
    .addOption(timeout())
    .action(async (given: FetchFlags) => {
      const { instruments, timeframe: timeframes, start, end, hours, priority, dryRun = false } = given
      done(await runFetch(context, { instruments, timeframes, start, end, hours, priority, dryRun, ...waiting(given) }))
    })
  program
    .command('series')
    .description('list what is stored and covered')
    .addOption(timeout())
    .action(async (given: { timeout: number }) => done(await runSeries(context, waiting(given))))
  program
    .command('status')
    .description('say whether database and bridge answer, and what is stored')
    .addOption(timeout())
    .action(async (given: { timeout: number }) => done(await runStatus(context, waiting(given))))
  program
    .command('migrate')
    .description('bring the schema of the database up to date')
    .action(async () => done(await runMigrate(context)))
  const simulate = program
    .command('simulate')
    .description('run a simulated gateway until it is stopped')
    .option('--host <host>', 'where it listens', '127.0.0.1')
    .option('--port <port>', '0 takes any free one', portNumber, SIMULATOR_PORT)
    .option('--replay <id=file>', 'bars from a CSV file, plain or gzip; repeatable', replays, [])
    .option('--seed <text>', 'another seed, another market')
    .option('--now <instant>', 'where its clock starts (default: now, or where the newest replayed file ends)')
    .option('--server-version <number>', 'the newest server version it offers, 163 to 200', wholeNumber)
    .addOption(
      new Option('--pacing <kind>', 'whether requests that break a pacing rule are refused, or noted and answered')
        .choices(PACING)
        .default('strict'),
    )
    .option('--admin-port <port>', 'serve faults and events over HTTP on loopback; 0 takes any free port', portNumber)
    .action(async (given: SimulateFlags) => {
      const { host, port, replay, seed, now, serverVersion, pacing, adminPort, split, settlementDelay } = given
      const events = marketEventsOf(split, settlementDelay)
      const faults = faultsOf({ ...given })
      const options = { host, port, replay, seed, now, serverVersion, pacing, adminPort, faults, events }
      done(await runSimulate(context, options))
    })
  for (const option of marketOptions()) simulate.addOption(option)
  for (const option of faultOptions()) simulate.addOption(option)
  return program
}

interface FetchFlags {
  readonly instruments: string[]
  readonly timeframe: string[]
  readonly start: string
  readonly end?: string
  readonly hours?: Hours
  readonly priority?: Priority
  readonly dryRun?: boolean
  readonly timeout: number
}

interface SimulateFlags {
  readonly host: string
  readonly port: number
  readonly replay: { instrument: string; path: string }[]
  readonly seed?: string
  readonly now?: string
  readonly serverVersion?: number
  readonly pacing: (typeof PACING)[number]
  readonly adminPort?: number
  readonly split?: GatewayEvent[]
  readonly settlementDelay?: number
}

/** One line for a person; never a stack. */
function errorText(error: TidegateError, verbose: boolean): string {
  const causes: string[] = []
  for (let cause = error.cause; verbose && cause instanceof Error && causes.length < 8; cause = cause.cause) {
    causes.push(`cause: ${cause.message}\n`)
  }
  return `tidegate: ${error.message}\n${causes.join('')}`
}

function list(text: string): string[] {
  const parts = text.split(',').map((part) => part.trim())
  if (parts.some((part) => part === '')) throw new InvalidArgumentError('Expected names separated by commas.')
  return parts
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Expected a whole number.')
  return Number(text)
}

function seconds(text: string): number {
  const count = wholeNumber(text)
  if (count < 1 || count > 3600) throw new InvalidArgumentError('Expected 1 to 3600 seconds.')
  return count
}

function portNumber(text: string): number {
  const port = wholeNumber(text)
  if (port > 65_535) throw new InvalidArgumentError('Expected a port from 0 to 65535.')
  return port
}

/** `ID=FILE`, where an id may hold an equals sign itself: `ESZ6=FUT.CME=bars.csv`. */
function replays(text: string, before: { instrument: string; path: string }[]) {
  const [, instrument, path] = /^([^=]+=[A-Z]+\.[A-Z0-9/]+|[^=]+)=(.+)$/i.exec(text) ?? []
  if (!instrument || !path) throw new InvalidArgumentError('Expected ID=FILE such as GBP/USD.IDEALPRO=bid.csv.gz.')
  return [...before, { instrument, path }]
}
