import type { z } from 'zod'
import {
  type MidpointColumns,
  midpointColumnsSchema,
  type QuoteColumns,
  quoteColumnsSchema,
  type TicksToShow,
  type TradeColumns,
  tradeColumnsSchema,
} from './schema/index.ts'

/** The columns of each kind of ticks. */
export type ColumnsOf<W extends TicksToShow> = {
  TRADES: TradeColumns
  BID_ASK: QuoteColumns
  MIDPOINT: MidpointColumns
}[W]

const SCHEMAS = { TRADES: tradeColumnsSchema, BID_ASK: quoteColumnsSchema, MIDPOINT: midpointColumnsSchema } as const

/** No ticks of a kind yet. */
export function emptyTicks<W extends TicksToShow>(whatToShow: W): ColumnsOf<W> {
  const names = Object.keys(SCHEMAS[whatToShow].shape)
  return Object.fromEntries(names.map((name) => [name, []])) as unknown as ColumnsOf<W>
}

/** Puts `more` behind `ticks`, in place. */
export function appendTicks<C extends { readonly t: number[] }>(ticks: C, more: C): void {
  for (const [name, into] of Object.entries(ticks) as [keyof C, unknown[]][]) {
    for (const value of more[name] as unknown[]) into.push(value)
  }
}

/** Ticks `[from, to)` by position, as new columns. */
export function sliceTicks<C extends { readonly t: readonly number[] }>(ticks: C, from: number, to: number): C {
  const columns = Object.entries(ticks as unknown as Record<string, unknown[]>)
  return Object.fromEntries(columns.map(([name, column]) => [name, column.slice(from, to)])) as unknown as C
}

/** A page being read: its columns so far, and the schema of what comes. */
export function createPage<W extends TicksToShow>(whatToShow: W) {
  const ticks = emptyTicks(whatToShow)
  return {
    ticks,
    schema: SCHEMAS[whatToShow] as unknown as z.ZodType<ColumnsOf<W> & Record<string, unknown[]>>,
    append: (more: ColumnsOf<W>) => appendTicks(ticks, more),
  }
}
