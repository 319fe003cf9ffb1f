import { freshPglite } from '../../../test/support/pglite.ts'
import { describeStore } from './store.case.ts'

describeStore('PGlite', async () => {
  const database = await freshPglite()
  return database
})
