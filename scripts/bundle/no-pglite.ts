/**
 * Takes the place of @electric-sql/pglite in what is deployed: the embedded database is for development, weighs
 * 27 MB, and would be lost with its container.
 */
export const types = {}

export const PGlite = {
  create(): never {
    throw new Error('The embedded database is not part of this build: set DATABASE_URL to a Postgres server.')
  },
}
