import { type ErrorKind, TidegateError } from '@tidegate/core'

/** What a message of the gateway means for the request it names: an error of a kind, an answer, or something said beside it. */
export type Meaning = ErrorKind | 'no-data' | 'notice' | 'ignore'

interface Row {
  readonly codes: readonly number[]
  /** Where one code means several things, its text decides; seen to vary in case, spaces and tail. */
  readonly text?: RegExp
  readonly means: Meaning
  /** What a person can do. */
  readonly advice?: string
}

/** IBKR's codes (TWS API documentation, "Message Codes"; the texts as users' logs show them). The first row that fits counts. */
const TABLE: readonly Row[] = [
  { codes: [162], text: /query returned no data/i, means: 'no-data' },
  { codes: [162], text: /pacing violation/i, means: 'pacing' },
  {
    codes: [162],
    text: /no market data permissions/i,
    means: 'no-permission',
    advice: 'Subscribe to this market in the account.',
  },
  {
    codes: [162],
    text: /different ip address/i,
    means: 'competing-session',
    advice: 'Close the other TWS session of this login.',
  },
  { codes: [162], text: /query cancelled/i, means: 'timeout' },
  {
    codes: [162],
    text: /no historical market data for/i,
    means: 'invalid',
    advice: 'IBKR has no such data for this product.',
  },
  { codes: [165], means: 'notice' },
  { codes: [200], text: /ambiguous/i, means: 'invalid', advice: 'Name its primary exchange and currency.' },
  { codes: [200], means: 'not-found' },
  { codes: [320, 321, 322, 323], means: 'invalid' },
  {
    codes: [354, 10089, 10090, 10091, 10186, 10187],
    means: 'no-permission',
    advice: 'Subscribe to this market data in the account.',
  },
  { codes: [366], means: 'ignore' },
  { codes: [100, 101, 420], means: 'pacing' },
  { codes: [10197], means: 'competing-session', advice: 'Close the other TWS session of this login.' },
  { codes: [10314, 337, 10339, 10189, 10190], means: 'invalid' },
  { codes: [2188, 2174, 2176, 10167, 10168], means: 'notice' },
  { codes: [2103, 2105, 2157], means: 'farm-down' },
  { codes: [502, 504, 507, 1100, 2110], means: 'disconnected' },
]

/** What the gateway's message means for a request. Other codes from 2100 to 2199 are IBKR's warnings; any other unknown one is `internal`. */
export function meaningOf(
  code: number,
  text: string,
): { readonly means: Meaning; readonly advice: string | undefined } {
  const row = TABLE.find((r) => r.codes.includes(code) && (r.text === undefined || r.text.test(text)))
  if (row) return { means: row.means, advice: row.advice }
  return { means: code >= 2100 && code < 2200 ? 'notice' : 'internal', advice: undefined }
}

/** A gateway's message as an error of ours. */
export function gatewayError(kind: ErrorKind, code: number, text: string, advice?: string): TidegateError {
  return new TidegateError(kind, `IBKR answered ${code}: ${text.trim()}${advice ? ` — ${advice}` : ''}`, { code })
}

export type FarmKind = 'market' | 'history' | 'definition'
export type FarmState = 'ok' | 'inactive' | 'broken' | 'connecting'

const FARMS: Readonly<Record<number, readonly [FarmKind, FarmState]>> = {
  2103: ['market', 'broken'],
  2104: ['market', 'ok'],
  2105: ['history', 'broken'],
  2106: ['history', 'ok'],
  2107: ['history', 'inactive'],
  2108: ['market', 'inactive'],
  2119: ['market', 'connecting'],
  2157: ['definition', 'broken'],
  2158: ['definition', 'ok'],
}

/** The farm a notice speaks of: `HMDS data farm connection is OK:ushmds` → history, ok, `ushmds`. */
export function farmOf(
  code: number,
  text: string,
): { readonly name: string; readonly kind: FarmKind; readonly state: FarmState } | undefined {
  const farm = FARMS[code]
  const name = /[:.]\s*([\w.]+)\s*$/.exec(text)?.[1]
  return farm && name ? { name, kind: farm[0], state: farm[1] } : undefined
}
