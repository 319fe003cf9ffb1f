import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type EmbeddedDatabase, openPglite } from '@tidegate/db'
import { sharedFolder } from './shared.ts'

/** An embedded database of a test's own, migrated: a copy of one that is made once a run, for making one takes seconds. */
export async function freshPglite(): Promise<EmbeddedDatabase> {
  const root = await mkdtemp(path.join(tmpdir(), 'tidegate-pglite-'))
  await copyPglite(path.join(root, 'db'))
  const database = await openPglite(path.join(root, 'db'))
  return {
    ...database,
    async close() {
      await database.close()
      await rm(root, { recursive: true, force: true })
    },
  }
}

/** Puts such a copy into a folder, for a test that opens it itself. */
export async function copyPglite(dir: string): Promise<void> {
  const template = await sharedFolder('pglite', async (folder) => {
    const made = await openPglite(path.join(folder, 'made'))
    await made.migrate()
    await made.close()
  })
  await cp(template, dir, { recursive: true })
}
