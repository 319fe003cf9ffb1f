import { HOURS, type Hours, PRIORITIES, type Priority } from '@tidegate/core'
import { type Command, Option } from 'commander'
import { runBars } from './commands/bars.ts'
import { runFetch } from './commands/fetch.ts'
import { runPlan } from './commands/plan.ts'
import type { Context } from './context.ts'
import { type Asked, faultsOf } from './faults.ts'
import { jsonOption } from './json.ts'
import { list } from './values.ts'

const MISUSED = 2

interface Flags {
  readonly start?: string
  readonly end?: string
  readonly hours?: Hours
}

interface FetchFlags extends Flags {
  readonly instruments?: string[]
  readonly timeframe?: string[]
  readonly priority?: Priority
  readonly dryRun?: boolean
  readonly timeout: number
}

interface PlanFlags extends Flags {
  readonly dataset?: string
  readonly instruments?: string[]
  readonly timeframe?: string[]
  readonly json?: boolean
}

interface BarsFlags extends Flags {
  readonly instrument?: string
  readonly timeframe?: string
  readonly json?: boolean
}

export interface WantsOptions {
  readonly context: Context
  readonly verbose: () => boolean
  readonly timeout: () => Option
  readonly done: (status: number) => void
}

/** The commands that take instruments, timeframes and a window: what is missing or malformed is told all at once. */
export function addWants(program: Command, { context, verbose, timeout, done }: WantsOptions): void {
  const nowSec = () => Math.floor(context.now() / 1000)

  /** Ends the command as misused where anything is wrong with what was asked. */
  function check(asked: Asked): void {
    const faults = faultsOf(asked, nowSec())
    if (faults.length > 0) {
      program.error(faults.map((fault) => `tidegate: ${fault}`).join('\n'), { exitCode: MISUSED })
    }
  }

  program
    .command('fetch')
    .description('fetch what is missing of a window [start, end), UTC')
    .option('--instruments <ids>', 'needed: instrument ids or bare names, separated by commas', list)
    .option('--timeframe <specs>', 'needed: 1MIN, 5MIN, 1HOUR, DAILY or bar specifications, separated by commas', list)
    .option('--start <instant>', 'needed: a date or a UTC time, inclusive: 2024-01-02, 2024-01-02T09:30Z')
    .option('--end <instant>', 'exclusive (default: now)')
    .addOption(hoursOption())
    .addOption(
      new Option('--priority <priority>', 'what goes first at the gateway (default: "interactive")').choices(
        PRIORITIES,
      ),
    )
    .option('--dry-run', 'print the plan and ask nothing')
    .addOption(timeout())
    .action(async (given: FetchFlags) => {
      const { instruments = [], timeframe: timeframes = [], start = '', end, hours, priority, dryRun = false } = given
      const named = { option: '--instruments', texts: given.instruments }
      check({ instruments: named, timeframes: given.timeframe, start: given.start, end })
      const waiting = { timeoutMs: given.timeout * 1000, verbose: verbose() }
      done(await runFetch(context, { instruments, timeframes, start, end, hours, priority, dryRun, ...waiting }))
    })
  const fetchOptions = ['instruments', 'timeframe', 'start', 'end', 'hours']
  program
    .command('plan')
    .description('print what a fetch, or a declared dataset by now, would ask, and ask nothing')
    .addOption(new Option('--dataset <name>', 'a declared dataset, instead of a fetch').conflicts(fetchOptions))
    .option('--instruments <ids>', 'needed for a fetch: instrument ids or bare names, separated by commas', list)
    .option(
      '--timeframe <specs>',
      'needed for a fetch: 1MIN, 5MIN, 1HOUR, DAILY or bar specifications, separated by commas',
      list,
    )
    .option('--start <instant>', 'needed for a fetch: a date or a UTC time, inclusive')
    .option('--end <instant>', 'exclusive (default: now)')
    .addOption(hoursOption())
    .addOption(jsonOption())
    .action(async (given: PlanFlags) => {
      const { dataset, instruments = [], timeframe: timeframes = [], start = '', end, hours, json = false } = given
      const how = { json, verbose: verbose() }
      if (dataset !== undefined) return done(await runPlan(context, { of: { dataset }, ...how }))
      const named = { option: '--instruments', texts: given.instruments }
      check({ instruments: named, timeframes: given.timeframe, start: given.start, end })
      done(await runPlan(context, { of: { instruments, timeframes, start, end, hours }, ...how }))
    })
  program
    .command('bars')
    .description('write stored bars of a window [start, end), UTC, to standard output')
    .option('--instrument <id>', 'needed: an instrument id or a bare name')
    .option('--timeframe <spec>', 'needed: 1MIN, 5MIN, 1HOUR, DAILY or a bar specification')
    .option('--start <instant>', 'needed: a date or a UTC time, inclusive')
    .option('--end <instant>', 'exclusive (default: now)')
    .addOption(hoursOption())
    .addOption(new Option('--csv', 'a header and a line a bar (default)').conflicts('json'))
    .option('--json', 'an array of objects')
    .action(async (given: BarsFlags) => {
      const { instrument = '', timeframe = '', start = '', end, hours, json = false } = given
      const named = { option: '--instrument', texts: listed(given.instrument) }
      check({ instruments: named, timeframes: listed(given.timeframe), start: given.start, end })
      const format = json ? 'json' : 'csv'
      done(await runBars(context, { instrument, timeframe, start, end, hours, format, verbose: verbose() }))
    })
}

function hoursOption(): Option {
  return new Option('--hours <hours>', 'which hours of a day (default: "regular", or as IBKR_USE_RTH says)').choices(
    HOURS,
  )
}

function listed(text: string | undefined): string[] | undefined {
  return text === undefined ? undefined : [text]
}
