import { openNeon, openTcp } from '@tidegate/db'
import { afterAll, beforeAll } from 'vitest'
import { type Neon, startNeon } from '../../../test/support/neon.ts'
import { type Postgres, startPostgres } from '../../../test/support/postgres.ts'
import { describeStore } from './store.case.ts'

let postgres: Postgres
let neon: Neon
beforeAll(async () => {
  postgres = await startPostgres()
  neon = await startNeon()
})
afterAll(async () => {
  await neon?.close()
  await postgres?.close()
})

describeStore('Neon’s HTTP', async () => {
  const url = await postgres.freshDatabase()
  const session = openTcp(url)
  await session.migrate()
  await session.close()
  return openNeon(url, { endpoint: neon.endpoint })
})
