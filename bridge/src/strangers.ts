import { maskedText } from './account.ts'
import type { Log } from './log.ts'

/** Codes kept in mind: more than IBKR has. Beyond that a code may be told twice. */
const MOST = 2000

/** Codes that the table of codes.ts does not know. */
export interface Strangers {
  /** Tells the log of a code, the first time it comes. */
  meet(code: number, text: string): void
}

/** Logs each unknown code once, with the text it first came with, account numbers masked. */
export function createStrangers(log: Log): Strangers {
  const met = new Set<number>()
  return {
    meet(code, text) {
      if (met.has(code)) return
      if (met.size >= MOST) met.clear()
      met.add(code)
      const words = `the gateway sent a code that the bridge does not know, ${code}: ${maskedText(text)}`
      log.warn({ code }, words)
    },
  }
}
