import { constants } from 'node:fs'
import { access, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'

/** Linux keeps what is in here in memory. */
const IN_MEMORY = '/dev/shm'
/** What the databases of all tests that run at once may come to; a container may have but 64 MB of it. */
const ROOM_BYTES = 2 * 1024 ** 3

/**
 * Where tests keep their databases and other files: in memory, where the machine can, since creating and copying
 * embedded databases is a third of their time on a disk; else its folder for temporary files. A `TMPDIR` is heeded.
 */
export async function scratchFolder(): Promise<string> {
  if (process.env.TMPDIR !== undefined) return tmpdir()
  try {
    await access(IN_MEMORY, constants.W_OK)
    const { bavail, bsize } = await statfs(IN_MEMORY)
    return bavail * bsize >= ROOM_BYTES ? IN_MEMORY : tmpdir()
  } catch {
    return tmpdir() // Not Linux, or not for us.
  }
}
