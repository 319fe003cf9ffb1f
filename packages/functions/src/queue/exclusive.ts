import type { EmbeddedDatabase } from '@tidegate/db'
import type { PGliteLike } from 'pg-boss'

/**
 * PGlite has one session, and pg-boss sends whole transactions as one text. Run as PGlite's own transaction, such a text
 * that fails is rolled back before anybody else's statement: else that statement would land in a transaction already broken.
 */
export function exclusive(client: EmbeddedDatabase['client']): PGliteLike {
  return {
    query: (text, values) => client.query(text, values),
    exec: (text) => (/^\s*begin\b/i.test(text) ? client.transaction((tx) => tx.exec(text)) : client.exec(text)),
  }
}
