import { randomUUID } from 'node:crypto'
import { linkSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { TidegateError, toTidegateError } from '@tidegate/core'
import type { Log } from '../log.ts'
import { makeFolder } from './folder.ts'

/** Locks of this very process: its own pid in a lock file proves nothing, for a container that starts anew has the same. */
const held = new Set<string>()
/** Stands for the beginning of a process that has ended. */
const ENDED = 'ended'

/**
 * Takes the file of what was sent for this process, by one beside it with the pid and when its process began: two bridges
 * that do not know of each other would send twice what IBKR allows. What a dead process holds is taken over, also where
 * another one has its pid by now. Returns what gives it back. Throws `conflict` while a living process holds it. Where no
 * file can be made that is warned of, and the bridge goes on without.
 */
export function lockState(file: string, log: Log): () => void {
  const lock = `${path.resolve(file)}.lock`
  let made: string | undefined
  let holder: number | undefined
  try {
    made = makeFolder(path.dirname(lock))
    holder = take(lock)
  } catch (cause) {
    const why = 'can not hold the record of what was sent: a second bridge of this login would not be noticed'
    log.warn({ file, err: toTidegateError(cause) }, why)
    return () => {}
  }
  if (holder !== undefined) throw taken(file, lock, holder)
  return () => {
    give(lock)
    if (made !== undefined) removeEmpty(path.dirname(lock), made)
  }
}

/** Takes the lock file; undefined once it is ours, the living holder's pid otherwise. */
function take(lock: string): number | undefined {
  if (held.has(lock)) return process.pid
  while (!create(lock)) {
    const holder = holderOf(lock)
    if (typeof holder === 'number') return holder
    // Only one process may remove a dead one's file: another could remove the file that the first has just made anew.
    const takeover = `${lock}.takeover`
    const rival = take(takeover)
    if (rival !== undefined) return rival
    try {
      const since = holderOf(lock)
      if (typeof since === 'number') return since
      if (since === 'dead') rmSync(lock, { force: true })
    } finally {
      give(takeover)
    }
  }
  held.add(lock)
  return undefined
}

function give(lock: string): void {
  rmSync(lock, { force: true })
  held.delete(lock)
}

/** Makes the file with the pid already in it, so that nobody reads it half made. False when there is one. */
function create(lock: string): boolean {
  const draft = `${lock}.${randomUUID()}`
  writeFileSync(draft, `${process.pid} ${beginOf(process.pid)}`, { mode: 0o600 })
  try {
    linkSync(draft, lock)
    return true
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    return false
  } finally {
    rmSync(draft, { force: true })
  }
}

/** The other process that the file names, while it lives. What is no pid is a dead one's, and our own is from an earlier life. */
function holderOf(lock: string): number | 'dead' | 'gone' {
  let text: string
  try {
    text = readFileSync(lock, 'utf8')
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
    return 'gone'
  }
  const [pid, began] = text.trim().split(' ')
  const holder = Number(pid)
  if (holder === process.pid || !isAlive(holder)) return 'dead'
  return began === undefined || began === beginOf(holder) ? holder : 'dead'
}

/** When a process began, in the kernel's count since boot; '0' where the system does not say (Linux alone has /proc). */
function beginOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the program's name in brackets and may hold anything; the beginning is the 20th after it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A zombie has its pid until its parent asks after it, which a container's first process need not do: it holds nothing.
    return fields[0] === 'Z' || fields[0] === 'X' ? ENDED : (fields[19] ?? '0')
  } catch (error) {
    if (!['ENOENT', 'ESRCH', 'ENOTDIR', 'EACCES'].includes(codeOf(error) ?? '')) throw error
    return '0'
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

/** Removes a folder and those around it up to `top`, where nothing is in them: whoever sent nothing leaves nothing behind. */
function removeEmpty(folder: string, top: string): void {
  try {
    rmdirSync(folder)
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(codeOf(error) ?? '')) return
    throw error
  }
  if (folder !== top) removeEmpty(path.dirname(folder), top)
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}

function taken(file: string, lock: string, pid: number): TidegateError {
  return new TidegateError(
    'conflict',
    `The bridge in process ${pid} has this login: it holds ${lock}, and two that do not know of each other would send ` +
      'more than IBKR allows. Ask that one (BRIDGE_URL and BRIDGE_KEY say where it is), or stop it; for two bridges of ' +
      `one login set the same REDIS_URL in both. Another login needs another BRIDGE_STATE than ${file}.`,
  )
}
