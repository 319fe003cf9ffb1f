import { openTcp } from '@tidegate/db'
import { afterAll, beforeAll, describe } from 'vitest'
import { type Postgres, startPostgres } from '../../../test/support/postgres.ts'
import { describeRaces } from './races.case.ts'
import { describeStore } from './store.case.ts'

let postgres: Postgres
beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(() => postgres?.close())

async function openMigrated() {
  const database = openTcp(await postgres.freshDatabase())
  await database.migrate()
  return database
}

describeStore('TCP', openMigrated)
describe('two at once', () => describeRaces(openMigrated))
