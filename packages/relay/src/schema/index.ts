/**
 * What goes over the relay: JSON in; JSON out, and newline-delimited JSON out for bars and ticks. Times are epoch seconds
 * UTC. Every object that comes in is strict: an unknown field is an error, so a typo can't be silently ignored.
 */
export * from './bars.ts'
export * from './chains.ts'
export * from './contract.ts'
export * from './head.ts'
export * from './live.ts'
export * from './notice.ts'
export * from './search.ts'
export * from './sessions.ts'
export * from './status.ts'
export * from './stream.ts'
export * from './ticks.ts'
