export { createIngest } from './ingest.ts'
export type * from './types.ts'
