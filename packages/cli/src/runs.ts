import { type Command, Option } from 'commander'
import { runCancel, runRuns } from './commands/runs.ts'
import type { Context } from './context.ts'
import { jsonOption } from './json.ts'
import { id, runCount } from './values.ts'

const STATES = ['open', 'done', 'failed', 'cancelled'] as const
const SHOWN = 20

export interface RunsCommands {
  readonly context: Context
  readonly verbose: () => boolean
  readonly done: (status: number) => void
}

interface Flags {
  readonly limit: number
  readonly state?: string
  readonly dataset?: string
  readonly json?: boolean
}

/** The commands that look after runs. */
export function addRuns(program: Command, { context, verbose, done }: RunsCommands): void {
  const listing = (command: Command) =>
    command
      .description('list the newest runs and what became of them')
      .addOption(new Option('--limit <number>', 'how many, up to 200').argParser(runCount).default(SHOWN))
      .addOption(new Option('--state <state>', 'of this state alone').choices(STATES))
      .option('--dataset <name>', 'of this dataset alone')
      .addOption(jsonOption())
      // Flags that group and command have both are the group's, wherever they stand.
      .action(async (_: object, own: Command) => {
        const { limit, state, dataset, json = false } = own.optsWithGlobals<Flags>()
        done(await runRuns(context, { limit, state, dataset, json, verbose: verbose() }))
      })
  const runs = listing(program.command('runs'))
  listing(runs.command('list', { hidden: true }))
  runs
    .command('cancel')
    .description('stop a run: nothing of it is asked any more, and what it has not brought is missing again')
    .argument('<id>', 'its id, or as much of the beginning as tells it from other open runs', id)
    .action(async (run: string) => done(await runCancel(context, run, { verbose: verbose() })))
}
