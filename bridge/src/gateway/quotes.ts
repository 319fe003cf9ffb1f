import type { Quote } from '@tidegate/relay'

export type QuoteField = Exclude<keyof Quote, 'marketDataType' | 'minTick'>

/** IBKR's tick types that make a quote, each with its delayed twin (TWS API documentation, "Available Tick Types"). */
const FIELDS: Readonly<Record<QuoteField, readonly number[]>> = {
  bid: [1, 66],
  bidSize: [0, 69],
  ask: [2, 67],
  askSize: [3, 70],
  last: [4, 68],
  lastSize: [5, 71],
  lastTime: [45, 88],
  volume: [8, 74],
  open: [14, 76],
  high: [6, 72],
  low: [7, 73],
  close: [9, 75],
  halted: [49, 90],
}

const BY_TYPE: ReadonlyMap<number, QuoteField> = new Map(
  Object.entries(FIELDS).flatMap(([field, types]) => types.map((type) => [type, field as QuoteField] as const)),
)

/** The field of a quote that a tick type is; undefined for those that are none of it. */
export function fieldOf(type: number | undefined): QuoteField | undefined {
  return type === undefined ? undefined : BY_TYPE.get(type)
}
