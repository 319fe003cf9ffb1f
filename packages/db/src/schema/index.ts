/** The tables, as the migrations make them. */
export * from './access.ts'
export * from './bars.ts'
export * from './datasets.ts'
export * from './instruments.ts'
export * from './restatements.ts'
export * from './sessions.ts'
export * from './webhooks.ts'
export * from './work.ts'
