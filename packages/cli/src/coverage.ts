import { HOURS, type Hours, parseInstrument, parseTimeframe } from '@tidegate/core'
import { type Command, Option } from 'commander'
import { runCoverage } from './commands/coverage.ts'
import type { Context } from './context.ts'
import { windowFaults } from './faults.ts'
import { jsonOption } from './json.ts'
import { checked, instant, list } from './values.ts'

const MISUSED = 2

interface Flags {
  readonly dataset?: string
  readonly instruments?: string[]
  readonly timeframe?: string[]
  readonly hours?: Hours
  readonly start?: string
  readonly end?: string
  readonly sessions?: boolean
  readonly json?: boolean
}

export interface CoverageCommands {
  readonly context: Context
  readonly verbose: () => boolean
  readonly done: (status: number) => void
}

/** The command that proves what is complete. */
export function addCoverage(program: Command, { context, verbose, done }: CoverageCommands): void {
  program
    .command('coverage')
    .description(
      'say how complete what is declared is, or all that is stored, by IBKR’s own sessions; exits with 1 where something due is missing',
    )
    .option('--dataset <name>', 'of what this dataset wants, since it wants it')
    .option('--instruments <ids>', 'of these alone: ids or bare names, separated by commas', listOf(parseInstrument))
    .option(
      '--timeframe <specs>',
      'of these alone: 1MIN, 5MIN, 1HOUR, DAILY or bar specifications, separated by commas',
      listOf((text) => parseTimeframe(text, 'STK')),
    )
    .addOption(new Option('--hours <hours>', 'of these hours alone').choices(HOURS))
    .option(
      '--start <instant>',
      'judge from here on, UTC (default: what is declared, else what was asked first)',
      instant,
    )
    .option('--end <instant>', 'and up to here, exclusive (default: as far as bars are final)', instant)
    .option('--sessions', 'list every session')
    .addOption(jsonOption())
    .action(async ({ instruments, timeframe, sessions = false, json = false, ...rest }: Flags) => {
      const [fault] = windowFaults(rest.start, rest.end)
      if (fault !== undefined) program.error(`tidegate: ${fault}`, { exitCode: MISUSED })
      const asked = { ...rest, instruments, timeframes: timeframe, sessions, json }
      done(await runCoverage(context, { ...asked, verbose: verbose() }))
    })
}

/** Reads a list whose every part `read` takes. */
function listOf(read: (text: string) => unknown): (text: string) => string[] {
  return (text) => list(text).map((part) => checked(part, read))
}
