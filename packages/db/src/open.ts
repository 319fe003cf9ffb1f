import type { TidegateError } from '@tidegate/core'
import { type Database, placeOf } from './database.ts'
import { openNeon } from './drivers/neon.ts'
import { openPglite } from './drivers/pglite.ts'
import { openTcp } from './drivers/tcp.ts'

export interface DatabaseOptions {
  /** `postgres://…`; a `*.neon.tech` host is reached over HTTP, any other over TCP. Absent: embedded, in `dir`. */
  readonly url?: string
  /** The embedded database's folder. Default `.tidegate/db`. */
  readonly dir?: string
  /** Needs a session, as migrations do: Neon over TCP then. */
  readonly session?: boolean
  /** Of the embedded one: told at once of a failure after which nothing can be asked of it any more. */
  readonly onEnd?: (error: TidegateError) => void
}

/** Opens the database that the settings name. */
export async function openDatabase({
  url,
  dir = '.tidegate/db',
  session = false,
  onEnd,
}: DatabaseOptions): Promise<Database> {
  if (url === undefined) return openPglite(dir, onEnd)
  const host = placeOf(url).split(/[:/]/)[0] ?? ''
  return host.endsWith('.neon.tech') && !session ? openNeon(url) : openTcp(url)
}
