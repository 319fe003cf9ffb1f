import { formatInstant, type Hours, type Priority, TidegateError } from '@tidegate/core'
import type { FetchBody } from '../client.ts'
import type { Context } from '../context.ts'
import { coveredAlready, type Filled, fill } from '../fill.ts'
import { hinted } from '../hint.ts'
import { tellOutcome } from '../outcome.ts'
import { clockText, planText, unavailableText } from '../plan.ts'
import { createProgress } from '../progress.ts'
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

async function fetchNow(context: Context, target: Target, body: FetchBody): Promise<number> {
  const { client } = target
  const progress = createProgress(context)
  let filled: Filled
  let never = ''
  try {
    const plan = await client.plan(body)
    never = unavailableText(plan) + clockText(plan, body.end)
    filled = coveredAlready(plan) ?? (await fill(client, body, { ...context, progress }))
  } finally {
    progress.stop()
  }
  return tellOutcome(context, target, { window: body, never }, filled)
}
