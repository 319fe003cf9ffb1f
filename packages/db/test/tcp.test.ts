import { openTcp } from '@tidegate/db'
import { afterAll, beforeAll } from 'vitest'
import { type Postgres, startPostgres } from '../../../test/support/postgres.ts'
import { describeStore } from './store.case.ts'

let postgres: Postgres
beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(() => postgres?.close())

describeStore('TCP', async () => {
  const database = openTcp(await postgres.freshDatabase())
  await database.migrate()
  return database
})
