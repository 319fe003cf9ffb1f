import { linkSecret } from './link.ts'
import { secrets } from './secrets.ts'

/** A Neon connection string, which the functions use over HTTP: no pool to keep, no socket to hold open. */
export const database = linkSecret('DATABASE_URL', secrets.databaseUrl)
