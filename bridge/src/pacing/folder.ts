import { mkdirSync, statSync } from 'node:fs'
import path from 'node:path'

/** What was asked of whom is for whoever runs the bridge alone. */
const OWNER_ONLY = 0o700

/**
 * Makes a folder and those that it is in; the uppermost that was made, undefined where all were there. Level by level,
 * for Node's own way of doing it never ends where a level can not be made for being nowhere (`/proc/none/x`).
 */
export function makeFolder(folder: string): string | undefined {
  const whole = path.resolve(folder)
  if (statSync(whole, { throwIfNoEntry: false })) return undefined
  const made = makeFolder(path.dirname(whole))
  try {
    mkdirSync(whole, { mode: OWNER_ONLY })
  } catch (cause) {
    // Another process was quicker.
    if (!statSync(whole, { throwIfNoEntry: false })?.isDirectory()) throw cause
  }
  return made ?? whole
}
