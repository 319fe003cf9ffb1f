export type * from './types.ts'
export { createIngest } from './ingest.ts'
