import { type DatasetDefinition, formatInstant, type Hours, type TidegateError, toTidegateError } from '@tidegate/core'
import type { DatasetAnswer } from '@tidegate/functions'
import type { Client } from './client.ts'
import { CONFIG_FILE } from './config.ts'
import type { Context } from './context.ts'
import { coveredAlready, type Filled, type FillOptions, fill } from './fill.ts'
import type { FirstPart } from './first.ts'
import { hinted } from './hint.ts'
import { createProgress } from './progress.ts'
import { filledTable, pendingText, troublesOf } from './report.ts'

/** Of a series wanted from IBKR's head timestamp on, all that is stored counts. */
export const EARLIEST = '1970-01-01T00:00:00Z'

/** The first dataset's parts as they are declared: kept current as often as the schedule looks. */
export function definitionsOf(first: readonly FirstPart[], hours: Hours): DatasetDefinition[] {
  return first.map(({ name, instruments, spec, days }) => {
    return { name, instruments, specs: [spec], since: `${days}d`, hours, schedule: { every: '1m' } }
  })
}

/**
 * Declares the datasets and fills them, with a table at the end. True when nothing that should be there is missing. `begun` is called
 * once a run of each has been opened, or can't be: what is asked for from then on leaves those what is theirs.
 */
export async function fillDatasets(
  context: Context,
  client: Client,
  definitions: readonly DatasetDefinition[],
  begun: () => void = () => {},
): Promise<boolean> {
  const nowSec = Math.floor(context.now() / 1000)
  const declared: DatasetAnswer[] = []
  for (const definition of definitions) declared.push(await client.declare(definition))
  const progress = createProgress(context)
  let parts: Part[]
  try {
    const wanted = declared.filter(({ paused }) => !paused)
    const unopened = new Set(wanted)
    const open = (dataset: DatasetAnswer) => {
      if (unopened.delete(dataset) && unopened.size === 0) begun()
    }
    if (wanted.length === 0) begun()
    parts = await Promise.all(
      wanted.map(async (dataset) => {
        const opened = () => open(dataset)
        return fillPart(client, dataset, { ...context, progress, opened }).finally(opened)
      }),
    )
  } finally {
    progress.stop()
  }
  const filled = parts.flatMap((part) => ('filled' in part ? part : []))
  const unfilled = parts.flatMap((part) => ('error' in part ? part : []))
  const [foremost] = unfilled
  if (foremost && filled.length === 0) throw foremost.error
  const end = formatInstant(nowSec)
  const windows = filled.map(({ dataset, filled }) => ({ filled, body: { start: dataset.since ?? EARLIEST, end } }))
  context.out((await filledTable(client, windows, context.columns)) + pendingText(filled.map((part) => part.filled)))
  if (context.signal.aborted) {
    context.err('Interrupted. What was fetched is stored; the next start goes on where this one stopped.\n')
    return false
  }
  const troubles = [
    ...unfilled.map(({ dataset, error }) => {
      return `not fetched: ${hinted(error.message, dataset.definition.instruments, nowSec)}`
    }),
    ...filled.flatMap((part) => troublesOf(part.filled, nowSec)),
  ]
  for (const trouble of troubles) context.err(`${trouble}\n`)
  return troubles.length === 0
}

/** Says which datasets are kept up to date besides those of the config; empty where there are none. */
export async function othersText(client: Client, config: readonly DatasetDefinition[]): Promise<string> {
  const own = new Set(config.map(({ name }) => name))
  const others = (await client.datasets()).datasets.filter(({ name, paused }) => !paused && !own.has(name))
  if (others.length === 0) return ''
  const names = others.map(({ name }) => name).join(', ')
  return `Also kept up to date, and not in ${CONFIG_FILE}: ${names}. npx tidegate apply --prune removes them.\n`
}

type Part =
  | { readonly dataset: DatasetAnswer; readonly filled: Filled }
  | { readonly dataset: DatasetAnswer; readonly error: TidegateError }

/** Fills one dataset. That its instruments can't be had, or not by this login, is its own trouble and not the others'. */
async function fillPart(client: Client, dataset: DatasetAnswer, options: FillOptions): Promise<Part> {
  try {
    const body = { dataset: dataset.name }
    const plan = await client.plan(body)
    // Where all is there no run is opened, and nobody is told of one. Who was not found is asked for again.
    const found = new Set(plan.series.map(({ instrumentId }) => instrumentId))
    const isFound = found.size === dataset.definition.instruments.length
    return { dataset, filled: (isFound && coveredAlready(plan)) || (await fill(client, body, options)) }
  } catch (cause) {
    const error = toTidegateError(cause)
    if (error.kind !== 'not-found' && error.kind !== 'invalid' && error.kind !== 'no-permission') throw cause
    return { dataset, error }
  }
}
