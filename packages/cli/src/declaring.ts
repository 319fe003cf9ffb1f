import type { Command, Option } from 'commander'
import { runApply } from './commands/apply.ts'
import { runCatchUp } from './commands/catchup.ts'
import { runDatasets, runPause, runRemove } from './commands/datasets.ts'
import type { Context } from './context.ts'
import { jsonOption } from './json.ts'
import { id } from './values.ts'

export interface DeclaringOptions {
  readonly context: Context
  readonly verbose: () => boolean
  readonly timeout: () => Option
  readonly done: (status: number) => void
}

/** The commands that declare what is wanted for good, and look after it. */
export function addDeclaring(program: Command, { context, verbose, timeout, done }: DeclaringOptions): void {
  program
    .command('apply')
    .description('declare the datasets of tidegate.config.ts: shows what would change, asks, and applies it')
    .option('--config <file>', 'another file (default: tidegate.config.ts)')
    .option('--dry-run', 'show what would change, and change nothing')
    .option('--yes', 'ask nobody; needed where there is no terminal')
    .option('--prune', 'remove the datasets that the config does not have; their data stay')
    .action(async (given: { config?: string; dryRun?: boolean; yes?: boolean; prune?: boolean }) => {
      const { config, dryRun = false, yes = false, prune = false } = given
      done(await runApply(context, { config, dryRun, yes, prune, verbose: verbose() }))
    })
  const listing = (command: Command) =>
    command
      .description('list what is declared, how complete it is, and when it is due next')
      .addOption(jsonOption())
      // A flag that group and command have both is the group's, wherever it stands.
      .action(async (_: object, own: Command) => {
        const { json = false } = own.optsWithGlobals<{ json?: boolean }>()
        done(await runDatasets(context, { json, verbose: verbose() }))
      })
  const datasets = listing(program.command('datasets'))
  listing(datasets.command('list', { hidden: true }))
  datasets
    .command('run')
    .description('bring a dataset up to date now, whatever its schedule says')
    .argument('<name>', 'as it is listed', id)
    .addOption(timeout())
    .action(async (name: string, given: { timeout: number }) =>
      done(await runCatchUp(context, name, { timeoutMs: given.timeout * 1000, verbose: verbose() })),
    )
  datasets
    .command('remove')
    .description('remove a dataset; what is stored stays')
    .argument('<name>', 'as it is listed', id)
    .option('--drop-data', 'delete what no other dataset wants of its data as well')
    .option('--yes', 'ask nobody; needed with --drop-data where there is no terminal')
    .action(async (name: string, { dropData = false, yes = false }: { dropData?: boolean; yes?: boolean }) =>
      done(await runRemove(context, name, { dropData, yes, verbose: verbose() })),
    )
  for (const [command, paused] of [
    ['pause', true],
    ['resume', false],
  ] as const) {
    datasets
      .command(command)
      .description(paused ? 'leave a dataset as it is until it is resumed' : 'bring a dataset up to date again')
      .argument('<name>', 'as it is listed', id)
      .action(async (name: string) => done(await runPause(context, name, { paused, verbose: verbose() })))
  }
}
