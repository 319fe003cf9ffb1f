import type { Database } from '@tidegate/db'
import { afterAll, beforeAll, describe } from 'vitest'
import { describeAccess } from './access.case.ts'
import { describeAdjustments } from './adjustments.case.ts'
import { describeCatalog } from './catalog.case.ts'
import { describeChunks } from './chunks.case.ts'
import { describeCommit } from './commit.case.ts'
import { describeCompleteness } from './completeness.case.ts'
import { describeDatasets } from './datasets.case.ts'
import { describeEvents } from './events.case.ts'
import type { OpenDatabase } from './fixture.ts'
import { describeOutbox } from './outbox.case.ts'
import { describePlanning } from './planning.case.ts'
import { describeProgress } from './progress.case.ts'
import { describeRanks } from './ranks.case.ts'
import { describeRuns } from './runs.case.ts'
import { describeSessions } from './sessions.case.ts'
import { describeWebhooks } from './webhooks.case.ts'

/** The behaviour of a store, the same on every driver. `openMigrated` gives a migrated database for this suite alone. */
export function describeStore(driver: string, openMigrated: OpenDatabase): void {
  describe(`the store over ${driver}`, () => {
    let database: Database
    beforeAll(async () => {
      database = await openMigrated()
    })
    afterAll(() => database?.close())
    const open = () => database
    describe('its catalog', () => describeCatalog(open))
    describe('its chunks', () => describeChunks(open))
    describe('its commits', () => describeCommit(open))
    describe('its adjustments', () => describeAdjustments(open))
    describe('its plans', () => describePlanning(open))
    describe('its outbox', () => describeOutbox(open))
    describe('its progress', () => describeProgress(open))
    describe('its datasets', () => describeDatasets(open))
    describe('its events', () => describeEvents(open))
    describe('its webhooks', () => describeWebhooks(open))
    describe('its sessions', () => describeSessions(open))
    describe('its completeness', () => describeCompleteness(open))
    describe('completeness is counted', () => describeRanks(open))
    describe('its runs', () => describeRuns(open))
    describe('its keys and hooks', () => describeAccess(open))
  })
}
