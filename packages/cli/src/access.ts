import { EVENT_TYPES } from '@tidegate/core'
import { SCOPES } from '@tidegate/functions'
import type { Command } from 'commander'
import { runAddHook, runHooks, runRemoveHook } from './commands/hooks.ts'
import { runCreateKey, runKeys, runRevokeKey } from './commands/keys.ts'
import { runAddWebhook, runRemoveWebhook, runTestWebhook, runWebhooks } from './commands/webhooks.ts'
import type { Context } from './context.ts'
import { jsonOption } from './json.ts'
import { id, someOf } from './values.ts'

export interface AccessOptions {
  readonly context: Context
  readonly verbose: () => boolean
  readonly done: (status: number) => void
}

type Run = (one: string) => Promise<number>

/** The commands that say who may come in, and who is told of what. */
export function addAccess(program: Command, { context, verbose, done }: AccessOptions): void {
  /** A command of a group about the one of an id or a name. */
  const addOne = (group: Command, [verb, of]: readonly [string, string], what: string, run: Run) =>
    group
      .command(verb)
      .description(what)
      .argument(`<${of}>`, 'as it is listed', id)
      .action(async (one: string) => done(await run(one)))
  /** A command of a group that lists what it is about. */
  const addList = (group: Command, what: string, run: (json: boolean) => Promise<number>) =>
    group
      .command('list')
      .description(what)
      .addOption(jsonOption())
      .action(async ({ json = false }: { json?: boolean }) => done(await run(json)))
  const options = () => ({ verbose: verbose() })

  const keys = program.command('keys').description('create, list and revoke keys of the HTTP interface')
  keys
    .command('create')
    .description('make a key, and show it this once')
    .requiredOption('--name <name>', 'who it is for')
    .requiredOption('--scopes <scopes>', `what it may do: ${SCOPES.join(', ')}, separated by commas`, someOf(SCOPES))
    .action(async (given: { name: string; scopes: string[] }) =>
      done(await runCreateKey(context, { ...given, ...options() })),
    )
  addList(keys, 'list the keys, without the keys themselves', (json) => runKeys(context, { json, ...options() }))
  addOne(keys, ['revoke', 'id'], 'from now on a key opens nothing', (id) => runRevokeKey(context, id, options()))

  const webhooks = program
    .command('webhooks')
    .description('add, list, test and remove addresses that are told of what happens')
  webhooks
    .command('add <url>')
    .description('tell an address of events; shows the secret that signs them this once')
    .option('--events <types>', `which, separated by commas (default: ${EVENT_TYPES.join(', ')})`, someOf(EVENT_TYPES))
    .action(async (url: string, { events = [...EVENT_TYPES] }: { events?: string[] }) =>
      done(await runAddWebhook(context, { url, events, ...options() })),
    )
  addList(webhooks, 'list them, and what became of what they were told', (json) =>
    runWebhooks(context, { json, ...options() }),
  )
  addOne(webhooks, ['test', 'id'], 'post a test, and say what came of it', (id) =>
    runTestWebhook(context, id, options()),
  )
  addOne(webhooks, ['remove', 'id'], 'tell an address nothing more', (id) => runRemoveWebhook(context, id, options()))

  const hooks = program
    .command('hooks')
    .description('add, list and remove names that others call, signed, to start a run of a dataset')
  hooks
    .command('add <name>')
    .description('make a hook, or give it a new secret; shows the secret that signs calls this once')
    .requiredOption('--dataset <name>', 'the dataset that a call brings up to date')
    .action(async (name: string, { dataset }: { dataset: string }) =>
      done(await runAddHook(context, { name, dataset, ...options() })),
    )
  addList(hooks, 'list the hooks', (json) => runHooks(context, { json, ...options() }))
  addOne(hooks, ['remove', 'name'], 'take no more calls of a name', (name) => runRemoveHook(context, name, options()))
}
