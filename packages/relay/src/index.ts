export { type BarsAnswer, createRelay, type Relay, type RelayOptions } from './client.ts'
export * from './schema.ts'
