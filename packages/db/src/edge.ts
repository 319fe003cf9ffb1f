/** What a function on the edge needs: no driver but Neon's, and nothing of Node. */
export type { Database } from './database.ts'
export { type NeonOptions, openNeon } from './drivers/neon.ts'
export { createStore } from './store/index.ts'
export type * from './store.ts'
