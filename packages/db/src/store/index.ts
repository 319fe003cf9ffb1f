import type { Database } from '../database.ts'
import type { Store } from '../store.ts'
import { adjustmentsIn } from './adjustments.ts'
import { catalogIn } from './catalog.ts'
import { chunksIn } from './chunks.ts'
import { commitTo } from './commit.ts'
import { completenessIn } from './completeness.ts'
import { datasetsIn } from './datasets.ts'
import { doubtsIn } from './doubts.ts'
import { dueIn } from './due.ts'
import { eventsIn } from './events.ts'
import { hooksIn } from './hooks.ts'
import { apiKeysIn } from './keys.ts'
import { nearbyIn } from './nearby.ts'
import { outboxIn } from './outbox.ts'
import { planningIn } from './planning.ts'
import { progressIn } from './progress.ts'
import { recoveryIn } from './recovery.ts'
import { removalIn } from './removal.ts'
import { restatementsIn } from './restatements.ts'
import { runsIn } from './runs.ts'
import { sessionsIn } from './sessions.ts'
import { spansIn } from './spans.ts'
import { webhooksIn } from './webhooks.ts'

/** The store over an open, migrated database. */
export function createStore(database: Database): Store {
  return {
    ...catalogIn(database),
    ...chunksIn(database),
    ...planningIn(database),
    ...spansIn(database),
    ...progressIn(database),
    ...outboxIn(database),
    ...datasetsIn(database),
    ...removalIn(database),
    ...dueIn(database),
    ...eventsIn(database),
    ...webhooksIn(database),
    ...hooksIn(database),
    ...apiKeysIn(database),
    ...sessionsIn(database),
    ...doubtsIn(database),
    ...completenessIn(database),
    ...runsIn(database),
    ...recoveryIn(database),
    ...adjustmentsIn(database),
    ...nearbyIn(database),
    ...restatementsIn(database),
    commit: commitTo(database),
  }
}
