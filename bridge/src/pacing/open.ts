import { TidegateError } from '@tidegate/core'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { ACCOUNT_WITH_REDIS, type BridgeSettings } from '../settings.ts'
import { openJournal } from './journal.ts'
import type { Rules } from './rules.ts'
import { createWindows, type Windows } from './windows.ts'

/** The login's windows, where the settings say: in Redis, or in this process; and in a file, so that they outlive it. */
export async function openWindows(parts: {
  settings: BridgeSettings
  /** The machine's, by which the file is kept: the next process has no other. */
  clock: Clock
  /** The one that the windows go by. */
  steady: Clock
  rules: Rules
  log: Log
  newId: () => string
}): Promise<Windows> {
  const { settings, clock, steady, rules, log, newId } = parts
  const { stateFile, redisUrl, account } = settings
  const journal = stateFile === undefined ? undefined : openJournal({ file: stateFile, clock, rules, log })
  if (redisUrl === undefined) return createWindows({ clock: steady, rules, journal })
  // Loaded where it is wanted: most bridges have no Redis.
  const { createRedisWindows } = await import('./redis.ts')
  // A host has many names, and a login one account.
  if (account === undefined) throw new TidegateError('invalid', `The settings have ${ACCOUNT_WITH_REDIS}.`)
  return createRedisWindows({ url: redisUrl, login: account, clock: steady, rules, log, newId, journal })
}
