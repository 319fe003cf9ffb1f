import { mkdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { TidegateError } from '@tidegate/core'

/** What lies in the folder is for whoever runs Tidegate alone. */
const OWNER_ONLY = 0o700

/**
 * Makes a folder and those that it is in. Level by level, for Node's own way of doing it never ends where a level can not
 * be made for being nowhere (`/proc/none/x`). Throws `database`, naming the folder that could not be made.
 */
export async function makeFolder(folder: string): Promise<void> {
  const whole = path.resolve(folder)
  if (await isFolder(whole)) return
  await makeFolder(path.dirname(whole))
  try {
    await mkdir(whole, { mode: OWNER_ONLY })
  } catch (cause) {
    // Another process was quicker.
    if (await isFolder(whole)) return
    throw new TidegateError(
      'database',
      `The folder ${whole} for the embedded database could not be made: ${cause instanceof Error ? cause.message : cause}. ` +
        'Run it where folders can be made, or set DATABASE_URL to a Postgres server.',
      { cause },
    )
  }
}

async function isFolder(folder: string): Promise<boolean> {
  return stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  )
}
