import { readFile, rm, writeFile } from 'node:fs/promises'
import { TidegateError } from '@tidegate/core'

/** Folders that this very process holds: its own pid in a lock file proves nothing after a restart in a container. */
const held = new Set<string>()

/**
 * Takes `dir` for this process by a file beside it that holds the pid; a dead process's file is taken over.
 * Returns what gives it back. Throws `conflict` while a living process holds it.
 */
export async function lockFolder(dir: string): Promise<() => Promise<void>> {
  const path = `${dir}.lock`
  if (held.has(path)) throw taken(dir, process.pid)
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      await writeFile(path, String(process.pid), { flag: 'wx' })
      held.add(path)
      return async () => {
        held.delete(path)
        await rm(path, { force: true })
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const pid = Number(await readFile(path, 'utf8').catch(() => ''))
    if (pid !== process.pid && isAlive(pid)) throw taken(dir, pid)
    await rm(path, { force: true })
  }
  throw taken(dir, 0)
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function taken(dir: string, pid: number): TidegateError {
  return new TidegateError(
    'conflict',
    `The embedded database ${dir} is open in process ${pid}, and only one process can hold it. ` +
      'Use that process, stop it, or set DATABASE_URL to a Postgres server.',
  )
}
