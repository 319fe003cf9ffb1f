import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import type { BridgeSettings } from '../settings.ts'
import { openJournal } from './journal.ts'
import type { Rules } from './rules.ts'
import { createWindows, type Windows } from './windows.ts'

/** The login's windows, where the settings say: in Redis, or in this process; and in a file, so that they outlive it. */
export async function openWindows(parts: {
  settings: BridgeSettings
  clock: Clock
  rules: Rules
  log: Log
  newId: () => string
}): Promise<Windows> {
  const { settings, clock, rules, log, newId } = parts
  const { stateFile, redisUrl, gateway, account } = settings
  const journal = stateFile === undefined ? undefined : openJournal({ file: stateFile, clock, rules, log })
  if (redisUrl === undefined) return createWindows({ clock, rules, journal })
  // Loaded where it is wanted: most bridges have no Redis.
  const { createRedisWindows } = await import('./redis.ts')
  const login = account ?? `${gateway.host}:${gateway.port}`
  return createRedisWindows({ url: redisUrl, login, clock, rules, log, newId, journal })
}
