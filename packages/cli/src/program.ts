import { parseInstrument, type TidegateError, toTidegateError } from '@tidegate/core'
import type { GatewayEvent } from '@tidegate/simulator'
import { Command, CommanderError, Option } from 'commander'
import { addAccess } from './access.ts'
import { runConnect } from './commands/connect.ts'
import { runMigrate } from './commands/migrate.ts'
import { runSeries } from './commands/series.ts'
import { runSimulate } from './commands/simulate.ts'
import { runStart } from './commands/start.ts'
import { runStatus } from './commands/status.ts'
import type { Context } from './context.ts'
import { addCoverage } from './coverage.ts'
import { addDeclaring } from './declaring.ts'
import type { FirstPart } from './first.ts'
import { jsonOption } from './json.ts'
import { marketEventsOf, marketOptions } from './market.ts'
import { addRestating } from './restating.ts'
import { addRuns } from './runs.ts'
import { faultOptions, faultsOf } from './simulated.ts'
import { checked, instant, portNumber, type Replay, replays, seconds, serverVersion } from './values.ts'
import { addWants } from './wants.ts'

const VERSION = '0.1.0'
const USAGE_ERROR = 2
const INTERRUPTED = 130
/** A person waits: much less than the five minutes a service gives a gateway that is still logging in. */
const TIMEOUT_SEC = 15
const SIMULATOR_PORT = 4002
const PACING = ['strict', 'lenient'] as const
/** What help is wrapped at where nobody says how wide the terminal is. */
const HELP_COLUMNS = 100

const EXAMPLES = `
Examples:
  tidegate start                      simulator, bridge and functions, with a first dataset or yours
  tidegate connect                    how the gateway at IBKR_HOST:IBKR_PORT is connected
  tidegate fetch --instruments AAPL,EUR/USD --start 2024-01-02 --end 2024-02-01 --timeframe 1MIN
  tidegate fetch --instruments ESZ6.CME --start 2026-01-01 --timeframe 1HOUR,DAILY --dry-run
  tidegate bars --instrument AAPL --timeframe 1MIN --start 2024-01-02 --end 2024-01-03
  tidegate apply                      declare the datasets of tidegate.config.ts, which then keep themselves complete
  tidegate coverage --sessions --json how complete all of it is, session by session, for a program to read
  tidegate simulate --replay GBP/USD.IDEALPRO=bid.csv.gz --replay GBP/USD.IDEALPRO=ask.csv.gz

Settings come from the environment and from .env in the current folder; .env.example lists them all.`

export interface ProgramOptions {
  /** What `start` fills first. Default: as the clock says. */
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

function createProgram(context: Context, { first }: ProgramOptions, done: (status: number) => void): Command {
  const width = () => context.columns ?? HELP_COLUMNS
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
      getOutHelpWidth: width,
      getErrHelpWidth: width,
    })
  const verbose = () => program.opts<{ verbose?: boolean }>().verbose ?? false
  const timeout = () =>
    new Option('--timeout <seconds>', 'how long the gateway may take to answer').argParser(seconds).default(TIMEOUT_SEC)
  const waiting = ({ timeout }: { timeout: number }) => ({ timeoutMs: timeout * 1000, verbose: verbose() })

  program
    .command('start')
    .description(
      'bring up simulator (or the gateway of IBKR_HOST), bridge and functions; fill a first dataset, or those of tidegate.config.ts; serve',
    )
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
  addWants(program, { context, verbose, timeout, done })
  addDeclaring(program, { context, verbose, timeout, done })
  addAccess(program, { context, verbose, done })
  addRuns(program, { context, verbose, done })
  addCoverage(program, { context, verbose, done })
  addRestating(program, { context, verbose, done })
  program
    .command('series')
    .description('list what is stored and covered')
    .argument('[instrument]', 'of this instrument alone', (text: string) => checked(text, parseInstrument))
    .addOption(jsonOption())
    .action(async (instrument: string | undefined, { json = false }: { json?: boolean }) =>
      done(await runSeries(context, { instrument, json, verbose: verbose() })),
    )
  program
    .command('status')
    .description('say whether database and bridge answer, and what is stored')
    .addOption(jsonOption())
    .addOption(timeout())
    .action(async ({ json = false, ...given }: { json?: boolean; timeout: number }) =>
      done(await runStatus(context, { ...waiting(given), json })),
    )
  program
    .command('migrate')
    .description('bring the schema of the database up to date')
    .action(async () => done(await runMigrate(context)))
  const simulate = program
    .command('simulate')
    .description('run a simulated gateway until it is stopped')
    .option('--host <host>', 'where it listens', '127.0.0.1')
    .option('--port <port>', '0 takes any free one', portNumber, SIMULATOR_PORT)
    .option('--replay <id=file>', 'bars from a CSV file, plain or gzip; repeatable', replays)
    .option('--seed <text>', 'another seed, another market')
    .option('--now <instant>', 'where its clock starts (default: now, or where the newest replayed file ends)', instant)
    .option(
      '--server-version <number>',
      'the newest server version it offers, 163 to 200 (default: 200)',
      serverVersion,
    )
    .addOption(
      new Option('--pacing <kind>', 'whether requests that break a pacing rule are refused, or noted and answered')
        .choices(PACING)
        .default('strict'),
    )
    .option('--admin-port <port>', 'serve faults and events over HTTP on loopback; 0 takes any free port', portNumber)
    .action(async (given: SimulateFlags) => {
      const { host, port, replay = [], seed, now, serverVersion, pacing, adminPort, split, settlementDelay } = given
      const events = marketEventsOf(split, settlementDelay)
      const faults = faultsOf({ ...given })
      const options = { host, port, replay, seed, now, serverVersion, pacing, adminPort, faults, events }
      done(await runSimulate(context, options))
    })
  for (const option of marketOptions()) simulate.addOption(option)
  for (const option of faultOptions()) simulate.addOption(option)
  return program
}

interface SimulateFlags {
  readonly host: string
  readonly port: number
  readonly replay?: Replay[]
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
