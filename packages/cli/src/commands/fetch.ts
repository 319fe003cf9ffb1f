import { formatInstant, type Hours, type Priority, TidegateError } from '@tidegate/core'
import type { FetchBody } from '../client.ts'
import type { Context } from '../context.ts'
import { coveredAlready, type Filled, fill } from '../fill.ts'
import { hinted } from '../hint.ts'
import { NOTHING_FINAL, planText, unavailableText } from '../plan.ts'
import { createProgress } from '../progress.ts'
import { filledTable, pendingText, troublesOf } from '../report.ts'
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

/**
 * Fetches what is missing of a window; what is covered needs no gateway. Status 0 when all of it that is final is
 * covered afterwards, 1 otherwise, 130 when interrupted.
 */
export async function runFetch(context: Context, options: FetchOptions): Promise<number> {
  const { instruments, timeframes, start, end, hours, priority, dryRun } = options
  const nowSec = Math.floor(context.now() / 1000)
  const body: FetchBody = {
    instruments,
    specs: timeframes,
    start,
    end: end ?? formatInstant(nowSec),
    ...(hours ? { hours } : {}),
    ...(priority ? { priority } : {}),
  }
  const isEnough = async (client: Target['client']) => coveredAlready(await client.plan(body)) !== undefined
  const target = await openTarget(context, { ...options, need: dryRun ? 'stored' : 'gateway', isEnough })
  try {
    if (dryRun) {
      context.out(planText(await target.client.plan(body), body.end, context.columns))
      return 0
    }
    return await fetchNow(context, target, body)
  } catch (cause) {
    if (!(cause instanceof TidegateError) || (cause.kind !== 'not-found' && cause.kind !== 'invalid')) throw cause
    const { kind, message, code } = cause
    throw new TidegateError(kind, hinted(message, instruments, nowSec), { cause, code })
  } finally {
    await target.close()
  }
}

async function fetchNow(context: Context, { client, url }: Target, body: FetchBody): Promise<number> {
  const progress = createProgress(context)
  let filled: Filled
  let never = ''
  try {
    const plan = await client.plan(body)
    never = unavailableText(plan)
    filled = coveredAlready(plan) ?? (await fill(client, body, { ...context, progress }))
  } finally {
    progress.stop()
  }
  context.out((await filledTable(client, [{ body, filled }], context.columns)) + pendingText([filled]) + never)
  if (filled.interrupted) {
    context.err(`Interrupted. ${goingOn(filled, url)}\n`)
    return 130
  }
  const troubles = troublesOf(filled, context.now() / 1000)
  for (const trouble of troubles) context.err(`${trouble}\n`)
  if (troubles.length > 0) return 1
  if (filled.nothingFinal) context.out(`${NOTHING_FINAL} Nothing was asked of the gateway.\n`)
  else if (filled.chunks === 0) {
    const covered = never ? 'All that can be had was covered already' : 'Everything was covered already'
    context.out(`${covered}: nothing was asked of the gateway.\n`)
  }
  return 0
}

function goingOn({ runId }: Filled, url: string | undefined): string {
  if (url === undefined) {
    return 'What was fetched is stored; the same command goes on where this one stopped. Finishing what is under way.'
  }
  if (runId === undefined) return 'The same command goes on where this one stopped.'
  return (
    `The run goes on in the Tidegate at ${url} as ${runId}. The same command follows it again; ` +
    `its own state is at GET ${new URL(`/v1/runs/${runId}`, url)}`
  )
}
