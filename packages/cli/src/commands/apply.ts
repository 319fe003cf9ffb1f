import { basename } from 'node:path'
import { CONFIG_FILE, loadConfig } from '../config.ts'
import { refusal } from '../consent.ts'
import type { Context } from '../context.ts'
import { changesOf, diffText } from '../diff.ts'
import { readSettings } from '../settings.ts'
import { openTarget } from '../target.ts'

export interface ApplyOptions {
  /** Default: `tidegate.config.ts` in the folder. */
  readonly config: string | undefined
  readonly dryRun: boolean
  /** Whether to ask nobody. */
  readonly yes: boolean
  /** Whether datasets that the config does not have are removed. Their data stay. */
  readonly prune: boolean
  readonly verbose: boolean
}

/**
 * Declares the datasets of a config: shows what differs from what is declared, asks, and applies it. Status 0 when all is as
 * the config says, or would be; 1 when it was not confirmed, 2 when something differs and nobody can be asked.
 */
export async function runApply(context: Context, options: ApplyOptions): Promise<number> {
  const { out } = context
  const { config: file, dryRun, yes, prune, verbose } = options
  const { hours } = readSettings(context.env, context.newKey).functions
  const config = await loadConfig(context, { file, hours })
  const mayChange = !dryRun && (yes || context.ask !== undefined)
  const target = await openTarget(context, { need: mayChange ? 'declared' : 'stored', timeoutMs: 0, verbose })
  try {
    const { client } = target
    const { datasets } = await client.datasets()
    const changes = changesOf(
      config,
      datasets.map(({ definition }) => definition),
    )
    const put = changes.filter(({ kind }) => kind === 'new' || kind === 'changed')
    const removed = prune ? changes.filter(({ kind }) => kind === 'extra') : []
    out(diffText(changes, prune))
    if (put.length + removed.length === 0) {
      out(`${counted(config.length)} as ${basename(file ?? CONFIG_FILE)} says: nothing to change.\n`)
      return 0
    }
    if (dryRun) {
      out('Nothing was changed.\n')
      return 0
    }
    const refused = await refusal(context, { question: 'Apply this?', yes })
    if (refused !== undefined) return refused
    for (const { definition } of put) await client.declare(definition)
    for (const { definition } of removed) await client.removeDataset(definition.name, 'keep')
    const gone = removed.length > 0 ? `, ${counted(removed.length)} removed` : ''
    out(`${counted(put.length)} declared${gone}.${put.length > 0 ? ` ${whenText(target.url)}` : ''}\n`)
    return 0
  } finally {
    await target.close()
  }
}

function whenText(url: string | undefined): string {
  return url
    ? `The Tidegate at ${url} brings what is declared up to date within a minute.`
    : 'What is declared is brought up to date while a Tidegate runs: npx tidegate start.'
}

function counted(count: number): string {
  return `${count} dataset${count === 1 ? '' : 's'}`
}
