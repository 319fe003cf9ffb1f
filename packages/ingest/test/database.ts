import type { Database } from '@tidegate/db'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { freshPglite } from '../../../test/support/pglite.ts'
import { wipe } from '../../../test/support/wipe.ts'

/** The database of a file's tests, empty before each of them. It is told of before it is there: nothing may be asked of it on import. */
export function eachDatabase(): Database {
  let opened: Database | undefined
  const there = () => {
    if (!opened) throw new Error('The database is opened before the first test.')
    return opened
  }
  beforeAll(async () => {
    opened = await freshPglite()
  })
  beforeEach(() => wipe(there()))
  afterAll(() => opened?.close())
  return {
    get driver() {
      return there().driver
    },
    get orm() {
      return there().orm
    },
    rows: (statement) => there().rows(statement),
    migrate: () => there().migrate(),
    close: () => there().close(),
  }
}
