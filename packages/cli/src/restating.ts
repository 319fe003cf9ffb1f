import { parseInstrument, parseTimeframe } from '@tidegate/core'
import { type Command, Option } from 'commander'
import { runAbandon, runRestatements } from './commands/restatements.ts'
import type { Context } from './context.ts'
import { jsonOption } from './json.ts'
import { checked, id, instant, runCount } from './values.ts'

const SHOWN = 20

interface Flags {
  readonly timeframe?: string
  readonly since?: string
  readonly limit: number
  readonly json?: boolean
}

export interface RestatingCommands {
  readonly context: Context
  readonly verbose: () => boolean
  readonly done: (status: number) => void
}

/** The commands that show what IBKR told anew, and give up collecting it. */
export function addRestating(program: Command, { context, verbose, done }: RestatingCommands): void {
  const restatements = program
    .command('restatements')
    .description('list splits that were found, and stored bars that came otherwise later')
    .argument('[instrument]', 'of this instrument alone', (text: string) => checked(text, parseInstrument))
    .option('--timeframe <spec>', 'of this alone: 1MIN, 5MIN, 1HOUR, DAILY or a bar specification', (text) =>
      checked(text, (given) => parseTimeframe(given, 'STK')),
    )
    .option('--since <instant>', 'bars that changed from here on, UTC', instant)
    .addOption(new Option('--limit <number>', 'how many of each, up to 200').argParser(runCount).default(SHOWN))
    .addOption(jsonOption())
    .action(async (instrument: string | undefined, { timeframe, json = false, ...given }: Flags) =>
      done(await runRestatements(context, { ...given, instrument, spec: timeframe, json, verbose: verbose() })),
    )
  restatements
    .command('abandon')
    .description('give up what is being collected again after a split: what is stored stays as it was')
    .argument('<id>', 'its number, as it is listed', id)
    .action(async (split: string) => done(await runAbandon(context, split, { verbose: verbose() })))
}
