import { randomUUID } from 'node:crypto'
import { link, readFile, rm, writeFile } from 'node:fs/promises'
import { TidegateError } from '@tidegate/core'

/** Locks that this very process holds or is about to: its own pid in a lock file proves nothing after a restart in a container. */
const held = new Set<string>()
/** Stands for the beginning of a process that has ended. */
const ENDED = 'ended'

/**
 * Takes `dir` for this process by a file beside it that holds the pid and when its process began; a dead process's file is
 * taken over, also where another one has its pid by now. Returns what gives it back. Throws `conflict` while a living
 * process holds it.
 *
 * The bridge's record of what was sent is held the same way (`pacing/lock.ts` there): the two share no package but core, which
 * knows of no files. Locks that live by a heartbeat would not do: PGlite may hold up the process for longer than one lasts.
 */
export async function lockFolder(dir: string): Promise<() => Promise<void>> {
  const path = `${dir}.lock`
  const holder = await take(path)
  if (holder !== undefined) throw taken(dir, path, holder)
  return () => give(path)
}

/** Takes the lock file for this process; undefined once it is ours, the living holder's pid otherwise. */
async function take(path: string): Promise<number | undefined> {
  if (held.has(path)) return process.pid
  held.add(path)
  try {
    const holder = await takeFromOthers(path)
    if (holder !== undefined) held.delete(path)
    return holder
  } catch (error) {
    held.delete(path)
    throw error
  }
}

async function takeFromOthers(path: string): Promise<number | undefined> {
  while (!(await create(path))) {
    const holder = await holderOf(path)
    if (typeof holder === 'number') return holder
    // Only one process may remove a dead one's file: another could remove the file that the first has just made anew.
    const takeover = `${path}.takeover`
    const rival = await take(takeover)
    if (rival !== undefined) return rival
    try {
      const since = await holderOf(path)
      if (typeof since === 'number') return since
      // What is gone may be there again by now, made anew by another: only what was seen to be a dead one's is removed.
      if (since === 'dead') await rm(path, { force: true })
    } finally {
      await give(takeover)
    }
  }
  return undefined
}

/** Makes the file with the pid already in it, so that nobody reads it half made. False when there is one. */
async function create(path: string): Promise<boolean> {
  const draft = `${path}.${randomUUID()}`
  await writeFile(draft, `${process.pid} ${await beginOf(process.pid)}`, { mode: 0o600 })
  try {
    await link(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return false
  } finally {
    await rm(draft, { force: true })
  }
}

async function give(path: string): Promise<void> {
  if (!held.has(path)) return
  await rm(path, { force: true })
  held.delete(path)
}

/** The other process that the file names, while it lives. What is no pid is a dead one's, and our own is from an earlier life. */
async function holderOf(path: string): Promise<number | 'dead' | 'gone'> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return 'gone'
  }
  const [pid, began] = text.trim().split(' ')
  const holder = Number(pid)
  if (holder === process.pid || !isAlive(holder)) return 'dead'
  return began === undefined || began === (await beginOf(holder)) ? holder : 'dead'
}

/**
 * When a process began, in the kernel's own count since boot; '0' where the system does not say (Linux alone has /proc).
 * A pid is used again, after a restart of the machine above all; a pid with its beginning is not.
 */
async function beginOf(pid: number): Promise<string> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    // The second field is the program's name in brackets and may hold anything; the beginning is the 20th after it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A zombie has its pid until its parent asks after it, which a container's first process need not do: it holds nothing.
    return fields[0] === 'Z' || fields[0] === 'X' ? ENDED : (fields[19] ?? '0')
  } catch (error) {
    if (!['ENOENT', 'ESRCH', 'ENOTDIR', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    return '0'
  }
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

function taken(dir: string, path: string, pid: number): TidegateError {
  return new TidegateError(
    'conflict',
    `The embedded database ${dir} is open in process ${pid}, by ${path}, and only one process can hold it. ` +
      'Use that process, stop it, or set DATABASE_URL to a Postgres server.',
  )
}
