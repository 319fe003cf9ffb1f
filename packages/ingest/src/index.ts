export { createIngest } from './ingest.ts'
export { checkTarget, isPublicAddress, privateTarget } from './telling/target.ts'
export type * from './types.ts'
