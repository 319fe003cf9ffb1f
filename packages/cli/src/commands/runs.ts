import { TidegateError } from '@tidegate/core'
import type { RunsAnswer } from '@tidegate/functions'
import type { Client } from '../client.ts'
import type { Context } from '../context.ts'
import { troubleOf } from '../health.ts'
import { jsonText } from '../json.ts'
import { type Column, datesOnly, momentCell, tableOf } from '../table.ts'
import { withStored } from '../target.ts'

/** Of a run's id where there is no room for more. */
const SHORT = 8
const MOST_OPEN = 200

const COLUMNS: readonly Column[] = [
  { head: 'run', short: (cell) => cell.slice(0, SHORT) },
  { head: 'source', spare: 3 },
  { head: 'dataset', spare: 4, ifSame: true },
  { head: 'state' },
  { head: 'opened (UTC)', short: datesOnly, spare: 2 },
  { head: 'ended (UTC)', short: datesOnly, spare: 1 },
  { head: 'chunks', align: 'right' },
  { head: 'bars', align: 'right' },
]

export interface RunsOptions {
  readonly limit: number
  readonly state?: string
  readonly dataset?: string
  readonly json: boolean
  readonly verbose: boolean
}

/** Lists the newest runs: how many of their chunks have come to an end, how many were cancelled, and what went wrong last. */
export function runRuns(context: Context, { json, verbose, ...query }: RunsOptions): Promise<number> {
  return withStored(context, verbose, async (client, url) => {
    const answer = await client.runs(query)
    if (json) context.out(jsonText(answer))
    else {
      const isAnyOpen = answer.runs.some(({ state }) => state === 'open')
      context.out(runsText(answer, context.columns) + (isAnyOpen ? await waitingText(client, url) : ''))
    }
    return 0
  })
}

/** Why open runs do not go on; empty where they do. */
async function waitingText(client: Client, url: string | undefined): Promise<string> {
  if (url === undefined) return 'Open runs go on while a Tidegate runs: npx tidegate start.\n'
  const { bridge } = await client.status()
  const trouble = troubleOf(bridge)
  return trouble === undefined ? '' : `Open runs wait for the gateway: ${trouble}\n`
}

/** Stops a run. Status 0 also for one that was cancelled before; 1 for one that had ended. */
export function runCancel(context: Context, id: string, { verbose }: { verbose: boolean }): Promise<number> {
  return withStored(context, verbose, async (client) => {
    const run = await client.cancelRun(await wholeId(client, id))
    if (run.state === 'cancelled') {
      const { done, cancelled } = run.chunks
      context.out(
        `Run ${run.id} is cancelled: ${done} of its chunks had been answered, ${cancelled} are not asked for.\n`,
      )
      return 0
    }
    context.out(`Run ${run.id} had ended before: it is ${run.state}.\n`)
    return 1
  })
}

/** The id of the one open run that begins so; what is given, where there is none. Throws `invalid` where there are several. */
async function wholeId(client: Client, start: string): Promise<string> {
  const { runs } = await client.runs({ limit: MOST_OPEN, state: 'open' })
  const fits = runs.filter(({ id }) => id.startsWith(start))
  if (fits.some(({ id }) => id === start)) return start
  if (fits.length > 1) {
    throw new TidegateError('invalid', `${fits.length} open runs begin with "${start}": give more of the id.`)
  }
  return fits[0]?.id ?? start
}

/** Runs as a table, and what went wrong with them, a line each. */
export function runsText({ runs }: RunsAnswer, width: number | undefined): string {
  if (runs.length === 0) return 'There are no such runs.\n'
  const rows = runs.map(({ id, source, dataset, state, createdAt, finishedAt, chunks, bars }) => {
    const { queued, leased, cancelled, ...settled } = chunks
    const ended = Object.values(settled).reduce((sum, count) => sum + count, 0)
    const total = ended + queued + leased + cancelled
    return [
      id,
      source,
      dataset ?? '–',
      state,
      momentCell(createdAt),
      momentCell(finishedAt),
      `${ended} of ${total}${cancelled > 0 ? `, ${cancelled} cancelled` : ''}`,
      bars,
    ]
  })
  const errors = runs.flatMap(({ id, error }) => (error ? [`${id.slice(0, SHORT)}: ${error.message}\n`] : []))
  return `${tableOf(COLUMNS, rows, width)}${errors.join('')}`
}
