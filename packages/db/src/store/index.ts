import type { Database } from '../database.ts'
import type { Store } from '../store.ts'
import { catalogIn } from './catalog.ts'
import { chunksIn } from './chunks.ts'
import { commitTo } from './commit.ts'
import { progressIn } from './progress.ts'

/** The store over an open, migrated database. */
export function createStore(database: Database): Store {
  return { ...catalogIn(database), ...chunksIn(database), ...progressIn(database), commit: commitTo(database) }
}
