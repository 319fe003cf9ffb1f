import type { KeysAnswer } from '@tidegate/functions'
import type { Context } from '../context.ts'
import { jsonText } from '../json.ts'
import { type Column, instantCell, tableOf } from '../table.ts'
import { withDeclared, withStored } from '../target.ts'

const COLUMNS: readonly Column[] = [
  { head: 'id' },
  { head: 'name' },
  { head: 'scopes' },
  { head: 'made (UTC)', spare: 1 },
  { head: 'revoked (UTC)' },
]

interface Options {
  readonly verbose: boolean
}

/** Makes a key and prints it: the key alone to standard output, what there is to say of it to standard error. */
export function runCreateKey(
  context: Context,
  { name, scopes, verbose }: Options & { readonly name: string; readonly scopes: readonly string[] },
): Promise<number> {
  return withDeclared(context, verbose, async (client) => {
    const made = await client.createKey({ name, scopes })
    context.err(`The key ${made.id} may ${made.scopes.join(', ')}. It is shown this once:\n`)
    context.out(`${made.key}\n`)
    return 0
  })
}

/** Lists the keys there are and were. */
export function runKeys(context: Context, { json, verbose }: Options & { readonly json: boolean }): Promise<number> {
  return withStored(context, verbose, async (client) => {
    const keys = await client.keys()
    context.out(json ? jsonText(keys) : keysText(keys, context.columns))
    return 0
  })
}

export function runRevokeKey(context: Context, id: string, { verbose }: Options): Promise<number> {
  return withStored(context, verbose, async (client) => {
    await client.revokeKey(id)
    context.out(`The key ${id} is revoked: it opens nothing more.\n`)
    return 0
  })
}

function keysText({ keys }: KeysAnswer, width: number | undefined): string {
  if (keys.length === 0) return 'There are no keys but TIDEGATE_KEY.\n'
  const rows = keys.map(({ id, name, scopes, createdAt, revokedAt }) => {
    return [id, name, scopes.join(', '), instantCell(createdAt), instantCell(revokedAt)]
  })
  return tableOf(COLUMNS, rows, width)
}
