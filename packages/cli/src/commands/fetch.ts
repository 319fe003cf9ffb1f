import { formatInstant, type Hours, type Priority } from '@tidegate/core'
import type { PlanAnswer } from '@tidegate/functions'
import type { FetchBody } from '../client.ts'
import type { Context } from '../context.ts'
import { inWords } from '../duration.ts'
import { type Filled, fill } from '../fill.ts'
import { createProgress } from '../progress.ts'
import { pendingText, SERIES_COLUMNS, troublesOf } from '../report.ts'
import { storedIn } from '../stored.ts'
import { instantCell, tableOf } from '../table.ts'
import { openTarget, type Target } from '../target.ts'

export interface FetchOptions {
  readonly instruments: readonly string[]
  readonly timeframes: readonly string[]
  readonly start: string
  readonly end: string | undefined
  readonly hours: Hours | undefined
  readonly priority: Priority | undefined
  readonly dryRun: boolean
  readonly timeoutMs: number
  readonly verbose: boolean
}

/** Fetches what is missing of a window. Status 0 when all of it is covered afterwards, 1 otherwise, 130 when interrupted. */
export async function runFetch(context: Context, options: FetchOptions): Promise<number> {
  const { instruments, timeframes, start, end, hours, priority, dryRun } = options
  const body: FetchBody = {
    instruments,
    specs: timeframes,
    start,
    end: end ?? formatInstant(Math.floor(context.now() / 1000)),
    ...(hours ? { hours } : {}),
    ...(priority ? { priority } : {}),
  }
  const target = await openTarget(context, { ...options, need: dryRun ? 'stored' : 'gateway' })
  try {
    if (dryRun) {
      context.out(planText(await target.client.plan(body)))
      return 0
    }
    return await fetchNow(context, target, body)
  } finally {
    await target.close()
  }
}

async function fetchNow(context: Context, target: Target, body: FetchBody): Promise<number> {
  const { client, url } = target
  const progress = createProgress(context)
  let filled: Filled
  try {
    filled = await fill(client, body, { ...context, progress })
  } finally {
    progress.stop()
  }
  const known = await client.series()
  const rows = await Promise.all(
    filled.series.map(async ({ gaps, instrumentId, spec, hours }) => {
      const { bars, from, to } = await storedIn(client, known, { instrumentId, spec, hours }, body.start, body.end)
      return [instrumentId, spec, hours, bars, instantCell(from), instantCell(to), gaps.length]
    }),
  )
  context.out(tableOf(SERIES_COLUMNS, rows) + pendingText([filled]))
  if (filled.interrupted) {
    const next = url
      ? `The run goes on in the Tidegate at ${url}.`
      : 'What was fetched is stored; the same command goes on where this one stopped. Finishing what is under way.'
    context.err(`Interrupted. ${next}\n`)
    return 130
  }
  const troubles = troublesOf(filled)
  for (const trouble of troubles) context.err(`${trouble}\n`)
  if (troubles.length > 0) return 1
  if (filled.chunks === 0) context.out('Everything was covered already: nothing was asked of the gateway.\n')
  return 0
}

function planText({ series, requests, expectedSec }: PlanAnswer): string {
  const rows = series.map(({ instrumentId, spec, hours, wanted, gaps, requests }) => [
    instrumentId,
    spec,
    hours,
    instantCell(wanted?.start),
    instantCell(wanted?.end),
    gaps.length,
    requests,
  ])
  const table = tableOf(
    [
      { head: 'instrument' },
      { head: 'spec' },
      { head: 'hours' },
      { head: 'from (UTC)' },
      { head: 'until (UTC)' },
      { head: 'gaps', align: 'right' },
      { head: 'requests', align: 'right' },
    ],
    rows,
  )
  const total =
    requests === 0
      ? 'Everything is covered: a fetch would ask nothing.'
      : `${requests.toLocaleString('en-US')} request${requests === 1 ? '' : 's'}; ` +
        `under IBKR's pacing that takes ${inWords(expectedSec)}, and the gateway's own time.`
  return `${table}${total}\nNothing was asked of the gateway.\n`
}
