import { formatInstant, type Hours } from '@tidegate/core'
import type { PlanBody } from '../client.ts'
import type { Context } from '../context.ts'
import { jsonText } from '../json.ts'
import { planText } from '../plan.ts'
import { withStored } from '../target.ts'

export interface PlanOptions {
  /** A declared dataset, or a fetch. */
  readonly of:
    | { readonly dataset: string }
    | {
        readonly instruments: readonly string[]
        readonly timeframes: readonly string[]
        readonly start: string
        readonly end: string | undefined
        readonly hours: Hours | undefined
      }
  readonly json: boolean
  readonly verbose: boolean
}

/** Prints what a fetch, or a dataset by now, would ask, by what is stored alone. */
export function runPlan(context: Context, { of, json, verbose }: PlanOptions): Promise<number> {
  const body = bodyOf(of, Math.floor(context.now() / 1000))
  return withStored(context, verbose, async (client) => {
    const plan = await client.plan(body)
    const end = 'dataset' in body ? undefined : body.end
    context.out(json ? jsonText(plan) : planText(plan, end, context.columns))
    return 0
  })
}

function bodyOf(of: PlanOptions['of'], nowSec: number): PlanBody {
  if ('dataset' in of) return of
  const { instruments, timeframes, start, end, hours } = of
  return { instruments, specs: timeframes, start, end: end ?? formatInstant(nowSec), ...(hours ? { hours } : {}) }
}
