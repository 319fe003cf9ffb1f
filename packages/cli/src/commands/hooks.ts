import type { HooksAnswer } from '@tidegate/functions'
import type { Context } from '../context.ts'
import { jsonText } from '../json.ts'
import { type Column, instantCell, tableOf } from '../table.ts'
import { withStored } from '../target.ts'

const COLUMNS: readonly Column[] = [{ head: 'hook' }, { head: 'dataset' }, { head: 'made (UTC)', spare: 1 }]

interface Options {
  readonly verbose: boolean
}

/** Makes a hook and prints its secret: that alone to standard output, what there is to say of it to standard error. */
export function runAddHook(
  context: Context,
  { name, dataset, verbose }: Options & { readonly name: string; readonly dataset: string },
): Promise<number> {
  return withStored(context, verbose, async (client, url) => {
    const { secret } = await client.addHook(name, dataset)
    const where = `POST ${url ?? ''}/v1/hooks/${name}`
    context.err(`${where} starts a run of ${dataset}. The secret that signs calls is shown this once:\n`)
    context.out(`${secret}\n`)
    return 0
  })
}

/** Lists the hooks. */
export function runHooks(context: Context, { json, verbose }: Options & { readonly json: boolean }): Promise<number> {
  return withStored(context, verbose, async (client) => {
    const hooks = await client.hooks()
    context.out(json ? jsonText(hooks) : hooksText(hooks, context.columns))
    return 0
  })
}

export function runRemoveHook(context: Context, name: string, { verbose }: Options): Promise<number> {
  return withStored(context, verbose, async (client) => {
    await client.removeHook(name)
    context.out(`${name} is removed: no more calls of it are taken.\n`)
    return 0
  })
}

function hooksText({ hooks }: HooksAnswer, width: number | undefined): string {
  if (hooks.length === 0) return 'There are no hooks yet: tidegate hooks add NAME --dataset DATASET.\n'
  return tableOf(
    COLUMNS,
    hooks.map(({ name, dataset, createdAt }) => [name, dataset, instantCell(createdAt)]),
    width,
  )
}
