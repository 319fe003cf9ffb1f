import { type BarColumns, formatInstant, type Hours, TidegateError } from '@tidegate/core'
import type { BarsAnswer } from '@tidegate/functions'
import type { Context } from '../context.ts'
import { withStored } from '../target.ts'

const PAGE = 10_000
const FIELDS = ['ts', 'open', 'high', 'low', 'close', 'volume', 'wap', 'count'] as const

export interface BarsOptions {
  readonly instrument: string
  readonly timeframe: string
  readonly start: string
  /** Exclusive; undefined: now. */
  readonly end: string | undefined
  readonly hours: Hours | undefined
  readonly format: 'csv' | 'json'
  readonly verbose: boolean
}

type Row = readonly (string | number | null)[]

/**
 * Writes the stored bars of `[start, end)`, ordered by time, UTC. Asks no gateway. Throws `not-found` where nothing is stored,
 * and `conflict` where a split was put in place while it wrote: what it has written is then of the old scale.
 */
export function runBars(context: Context, options: BarsOptions): Promise<number> {
  const { instrument, timeframe: spec, start, hours, format, verbose } = options
  const { out, taken, signal } = context
  const end = options.end ?? formatInstant(Math.floor(context.now() / 1000))
  const write = format === 'csv' ? csv(out) : json(out)
  return withStored(context, verbose, async (client) => {
    let adjustment: number | undefined
    for (let next: string | null = start; next !== null && !signal.aborted; ) {
      const page: BarsAnswer = await client
        .bars({ instrument, spec, hours, start: next, end, limit: PAGE, adjustment })
        .catch(advised)
      write.rows(rowsOf(page.bars))
      await taken()
      next = page.next
      adjustment = page.adjustment
    }
    if (signal.aborted) return 130
    write.end()
    return 0
  })
}

function advised(cause: unknown): never {
  if (!(cause instanceof TidegateError) || cause.kind !== 'not-found') throw cause
  const message = cause.message
    .replace('say hours=', 'say --hours ')
    .replace('ask for it with POST /v1/runs', 'fetch it first, with tidegate fetch')
  throw new TidegateError('not-found', message, { cause })
}

function rowsOf({ t, o, h, l, c, v, w, n }: BarColumns): Row[] {
  const at = (column: readonly (number | null)[], i: number) => column[i] ?? null
  return t.map((sec, i) => [formatInstant(sec), ...[o, h, l, c, v, w, n].map((column) => at(column, i))])
}

/** A header and a line a bar; what IBKR has not is left empty. */
function csv(out: Context['out']) {
  const line = (row: Row) => `${row.map((value) => value ?? '').join(',')}\n`
  let begun = false
  return {
    rows(rows: readonly Row[]) {
      out((begun ? '' : line(FIELDS)) + rows.map(line).join(''))
      begun = true
    },
    end() {},
  }
}

/** One array of objects, an object a line. */
function json(out: Context['out']) {
  const text = (row: Row) => JSON.stringify(Object.fromEntries(FIELDS.map((field, i) => [field, row[i] ?? null])))
  let separator = '[\n'
  return {
    rows(rows: readonly Row[]) {
      if (rows.length === 0) return
      out(separator + rows.map(text).join(',\n'))
      separator = ',\n'
    },
    end: () => out(separator === '[\n' ? '[]\n' : '\n]\n'),
  }
}
