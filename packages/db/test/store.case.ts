import { createStore, type Database } from '@tidegate/db'
import { afterAll, beforeAll, beforeEach, describe } from 'vitest'
import { describeAccess } from './access.case.ts'
import { describeAdjustments } from './adjustments.case.ts'
import { describeCatalog } from './catalog.case.ts'
import { describeChunks } from './chunks.case.ts'
import { describeCommit } from './commit.case.ts'
import { describeDeclaring } from './declaring.case.ts'
import { describeDue } from './due.case.ts'
import { describeEvents } from './events.case.ts'
import { describeExpected } from './expected.case.ts'
import { type OpenDatabase, type Subject, wipe } from './fixture.ts'
import { describeJudged } from './judged.case.ts'
import { describeMissing } from './missing.case.ts'
import { describeOutbox } from './outbox.case.ts'
import { describePlanning } from './planning.case.ts'
import { describeProgress } from './progress.case.ts'
import { describeRanks } from './ranks.case.ts'
import { describeRemoving } from './removing.case.ts'
import { describeRuns } from './runs.case.ts'
import { describeSessions } from './sessions.case.ts'
import { describeView } from './view.case.ts'
import { describeWebhooks } from './webhooks.case.ts'

/** The behaviour of a store, the same on every driver. `openMigrated` gives a migrated database for this suite alone. */
export function describeStore(driver: string, openMigrated: OpenDatabase): void {
  describe(`the store over ${driver}`, () => {
    let opened: Database
    beforeAll(async () => {
      opened = await openMigrated()
    })
    afterAll(() => opened?.close())
    // The cases are told of it before it is there; they ask nothing of it before it is.
    const database: Database = {
      get driver() {
        return opened.driver
      },
      get orm() {
        return opened.orm
      },
      rows: (statement) => opened.rows(statement),
      migrate: () => opened.migrate(),
      close: () => opened.close(),
    }
    const subject: Subject = { database, store: createStore(database) }
    beforeEach(() => wipe(database))
    describe('its catalog', () => describeCatalog(subject))
    describe('its chunks', () => describeChunks(subject))
    describe('its commits', () => describeCommit(subject))
    describe('its adjustments', () => describeAdjustments(subject))
    describe('its plans', () => describePlanning(subject))
    describe('its outbox', () => describeOutbox(subject))
    describe('its progress', () => describeProgress(subject))
    describe('its datasets, declared', () => describeDeclaring(subject))
    describe('its datasets, being due', () => describeDue(subject))
    describe('its datasets, removed', () => describeRemoving(subject))
    describe('its events', () => describeEvents(subject))
    describe('its webhooks', () => describeWebhooks(subject))
    describe('its sessions', () => describeSessions(subject))
    describe('the sessions of a series', () => describeExpected(subject))
    describe('what is missing', () => describeMissing(subject))
    describe('what is judged of a series', () => describeJudged(subject))
    describe('its completeness in SQL', () => describeView(subject))
    describe('completeness is counted', () => describeRanks(subject))
    describe('its runs', () => describeRuns(subject))
    describe('its keys and hooks', () => describeAccess(subject))
  })
}
