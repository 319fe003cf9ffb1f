export { type BarsAnswer, createRelay, type Relay, type RelayOptions, type TicksAnswer } from './client.ts'
export * from './schema/index.ts'
export { appendTicks, type ColumnsOf, emptyTicks, sliceTicks } from './ticks.ts'
