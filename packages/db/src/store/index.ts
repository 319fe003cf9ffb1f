import type { Database } from '../database.ts'
import type { Store } from '../store.ts'
import { catalogIn } from './catalog.ts'
import { chunksIn } from './chunks.ts'
import { commitTo } from './commit.ts'
import { eventsIn } from './events.ts'
import { hooksIn } from './hooks.ts'
import { apiKeysIn } from './keys.ts'
import { progressIn } from './progress.ts'
import { webhooksIn } from './webhooks.ts'

/** The store over an open, migrated database. */
export function createStore(database: Database): Store {
  return {
    ...catalogIn(database),
    ...chunksIn(database),
    ...progressIn(database),
    ...eventsIn(database),
    ...webhooksIn(database),
    ...hooksIn(database),
    ...apiKeysIn(database),
    commit: commitTo(database),
  }
}
