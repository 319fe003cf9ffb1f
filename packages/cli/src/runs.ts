import { type Command, Option } from 'commander'
import { runCancel, runRuns } from './commands/runs.ts'
import type { Context } from './context.ts'
import { jsonOption } from './json.ts'
import { runCount } from './values.ts'

const STATES = ['open', 'done', 'failed', 'cancelled'] as const
const SHOWN = 20

export interface RunsCommands {
  readonly context: Context
  readonly verbose: () => boolean
  readonly done: (status: number) => void
}

/** The commands that look after runs. */
export function addRuns(program: Command, { context, verbose, done }: RunsCommands): void {
  const runs = program
    .command('runs')
    .description('list the newest runs and what became of them')
    .addOption(new Option('--limit <number>', 'how many, up to 200').argParser(runCount).default(SHOWN))
    .addOption(new Option('--state <state>', 'of this state alone').choices(STATES))
    .option('--dataset <name>', 'of this dataset alone')
    .addOption(jsonOption())
    .action(async ({ json = false, ...given }: { limit: number; state?: string; dataset?: string; json?: boolean }) =>
      done(await runRuns(context, { ...given, json, verbose: verbose() })),
    )
  runs
    .command('cancel')
    .description('stop a run: nothing of it is asked any more, and what it has not brought is missing again')
    .argument('<id>', 'its id, or as much of the beginning as tells it from other open runs')
    .action(async (id: string) => done(await runCancel(context, id, { verbose: verbose() })))
}
