import type { DatasetsAnswer } from '@tidegate/functions'
import { refusal } from '../consent.ts'
import type { Context } from '../context.ts'
import { scheduleText } from '../diff.ts'
import { awayText } from '../health.ts'
import { jsonText } from '../json.ts'
import { problemsText } from '../problem.ts'
import { type Column, datesOnly, instantCell, tableOf } from '../table.ts'
import { withStored } from '../target.ts'

const COLUMNS: readonly Column[] = [
  { head: 'dataset' },
  { head: 'series', align: 'right' },
  { head: 'since', spare: 1, short: datesOnly },
  { head: 'schedule', spare: 2 },
  { head: 'due (UTC)', spare: 3 },
  { head: 'complete', align: 'right' },
]

interface Options {
  readonly verbose: boolean
}

/** Lists what is declared, how complete it is, and what can't be had of it. */
export function runDatasets(
  context: Context,
  { json, verbose }: Options & { readonly json: boolean },
): Promise<number> {
  return withStored(context, verbose, async (client, url) => {
    const datasets = await client.datasets()
    context.out(json ? jsonText(datasets) : datasetsText(datasets, context.columns) + (await awayText(client, url)))
    return 0
  })
}

export interface RemoveOptions extends Options {
  readonly dropData: boolean
  /** Whether to ask nobody. */
  readonly yes: boolean
}

/** Removes a dataset; its data stay unless they are to be dropped, which must be confirmed. Status 1 when it is not, 2 when nobody can be asked. */
export function runRemove(context: Context, name: string, options: RemoveOptions): Promise<number> {
  const { dropData, yes, verbose } = options
  return withStored(context, verbose, async (client) => {
    const { seriesCount } = await client.dataset(name)
    const question = `Remove ${name} and delete the data of its ${seriesCount} series that no other dataset wants?`
    const refused = await refusal(context, { question, yes: yes || !dropData })
    if (refused !== undefined) return refused
    await client.removeDataset(name, dropData ? 'drop' : 'keep')
    const data = dropData
      ? 'What no other dataset wants of its data is deleted'
      : 'Its data are kept: to delete them, declare it again and remove it with --drop-data'
    context.out(`${name} is removed. ${data}.\n`)
    return 0
  })
}

/** Pauses a dataset, or resumes it. */
export function runPause(
  context: Context,
  name: string,
  { paused, verbose }: Options & { readonly paused: boolean },
): Promise<number> {
  return withStored(context, verbose, async (client) => {
    const { dueAt } = await client.pauseDataset(name, paused)
    context.out(paused ? `${name} is paused.\n` : `${name} goes on; it is due at ${instantCell(dueAt)} UTC.\n`)
    return 0
  })
}

/** Declared datasets as a table, and what can't be had of them, a line each. */
export function datasetsText({ datasets }: DatasetsAnswer, width: number | undefined): string {
  if (datasets.length === 0) return 'Nothing is declared yet: write a tidegate.config.ts and run npx tidegate apply.\n'
  const rows = datasets.map(({ name, definition, since, paused, dueAt, seriesCount, complete }) => [
    name,
    seriesCount,
    since === null ? 'head' : instantCell(since).replace(' 00:00', ''),
    scheduleText(definition.schedule),
    paused ? 'paused' : instantCell(dueAt),
    shareText(complete),
  ])
  const problems = datasets.flatMap(({ name, problems }) => problems.map((problem) => ({ ...problem, dataset: name })))
  const waiting = datasets
    .filter(({ unasked }) => unasked > 0)
    .map(({ name, unasked }) => `${name}: ${unasked} names not asked for yet, some more each minute\n`)
  return `${tableOf(COLUMNS, rows, width)}${waiting.join('')}${problemsText(problems)}`
}

/** Rounded down: 100 % is all of it. */
function shareText(share: number | null): string {
  return share === null ? '–' : `${(Math.floor(share * 1000) / 10).toFixed(1)} %`
}
