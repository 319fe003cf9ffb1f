import { openPglite } from '@tidegate/db'
import { describeStore } from './store.case.ts'

describeStore('PGlite', async () => {
  const database = await openPglite()
  await database.migrate()
  return database
})
