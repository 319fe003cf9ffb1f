import { readFileSync } from 'node:fs'
import path from 'node:path'
import { TidegateError, toTidegateError } from '@tidegate/core'
import { z } from 'zod'

const MIN_KEY_LENGTH = 32
/** Settings whose value no message may show. */
const SECRET = /KEY|PASSWORD|USER|ACCOUNT|URL/
const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost'])

const wholeNumber = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,10}$/, `expected a whole number from ${least} to ${most}`)
    .transform(Number)
    .refine((value) => value >= least && value <= most, `expected a whole number from ${least} to ${most}`)
const flag = z
  .enum(['true', 'false', '1', '0', 'yes', 'no'])
  .transform((text) => text === 'true' || text === '1' || text === 'yes')

const A_KEY = `expected a key of at least ${MIN_KEY_LENGTH} characters, such as \`openssl rand -hex 24\` prints`
export const ACCOUNT_WITH_REDIS =
  'REDIS_URL and no TWS_ACCOUNT: bridges of one login find each other by the account, set the same one in each'

/** One key, or two separated by a comma while they are rotated. */
export const keysSchema = z
  .string()
  .transform((text) => text.split(',').map((key) => key.trim()))
  .pipe(
    z
      .array(
        z
          .string()
          .min(MIN_KEY_LENGTH, A_KEY)
          .regex(/^[\x21-\x7e]*$/, 'expected letters, digits and signs of ASCII: a key goes into an HTTP header'),
      )
      .max(2, 'expected one key, or two separated by a comma while they are rotated'),
  )

const schema = z.object({
  IBKR_HOST: z.string().min(1).default('127.0.0.1'),
  IBKR_PORT: wholeNumber(1, 65_535).default(4002),
  IBKR_CLIENT_ID: wholeNumber(0, 2_147_483_000).default(1),
  IBKR_TRADING_MODE: z.enum(['paper', 'live']).default('paper'),
  /** Taken because people set it; the bridge can't trade whatever it says. */
  IBKR_READ_ONLY: flag.default(true),
  IBKR_CONNECTION_TIMEOUT: wholeNumber(1, 3600).default(300),
  IBKR_REQUEST_TIMEOUT: wholeNumber(1, 600).default(60),
  IBKR_RATE_LIMIT: wholeNumber(1, 50).default(45),
  IBKR_MARKET_DATA_TYPE: z.enum(['REALTIME', 'FROZEN', 'DELAYED', 'DELAYED_FROZEN']).default('DELAYED_FROZEN'),
  BRIDGE_PROBE_AFTER: wholeNumber(0, 86_400).default(300),
  TWS_ACCOUNT: z
    .string()
    .regex(/^[A-Z]{1,3}\d{4,12}$/, 'expected an account number such as DU1234567')
    .optional(),
  BRIDGE_HOST: z.string().min(1).default('127.0.0.1'),
  BRIDGE_PORT: wholeNumber(0, 65_535).default(8787),
  BRIDGE_KEY: keysSchema.optional(),
  BRIDGE_STATE: z.string().min(1).optional(),
  REDIS_URL: z.url({ protocol: /^rediss?$/, error: 'expected an address such as redis://127.0.0.1:6379' }).optional(),
  /** May ask, may not subscribe to live data. */
  BRIDGE_READ_KEY: keysSchema.optional(),
})

/** IBKR's numbers of the market data types. */
export const MARKET_DATA_TYPES = { REALTIME: 1, FROZEN: 2, DELAYED: 3, DELAYED_FROZEN: 4 } as const

export interface BridgeSettings {
  readonly gateway: { readonly host: string; readonly port: number; readonly clientId: number }
  readonly tradingMode: 'paper' | 'live'
  /** The account that the login must have. */
  readonly account?: string
  readonly connectionTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly messagesPerSec: number
  /** The file that keeps what was sent in the last ten minutes, for the next process. Absent: none. */
  readonly stateFile?: string
  /** Redis that keeps it instead, for all bridges of the login. */
  readonly redisUrl?: string
  /** So long IBKR's history may be silent, or definitions be held, before the bridge tries them; 0 or absent: never. */
  readonly probeAfterMs?: number
  readonly marketDataType: keyof typeof MARKET_DATA_TYPES
  readonly host: string
  readonly port: number
  readonly keys: readonly string[]
  /** Keys that may ask for history and details, and not subscribe to live data. Default none. */
  readonly readKeys?: readonly string[]
}

/** The settings from environment variables. Throws `invalid`, naming every fault at once and never a secret. */
export function readSettings(env: Readonly<Record<string, string | undefined>>): BridgeSettings {
  const { key, readKey, faults } = bridgeKeys(env)
  if (env.REDIS_URL && !env.TWS_ACCOUNT) faults.push(`TWS_ACCOUNT: there is ${ACCOUNT_WITH_REDIS}`)
  const parsed = schema.safeParse(
    { ...withoutEmpty(env), BRIDGE_KEY: key, BRIDGE_READ_KEY: readKey },
    { reportInput: true },
  )
  if (!parsed.success || faults.length > 0) throw settingsError(parsed.error, faults)
  const s = parsed.data
  return {
    gateway: { host: s.IBKR_HOST, port: s.IBKR_PORT, clientId: s.IBKR_CLIENT_ID },
    tradingMode: s.IBKR_TRADING_MODE,
    account: s.TWS_ACCOUNT,
    connectionTimeoutMs: s.IBKR_CONNECTION_TIMEOUT * 1000,
    requestTimeoutMs: s.IBKR_REQUEST_TIMEOUT * 1000,
    messagesPerSec: s.IBKR_RATE_LIMIT,
    stateFile: s.BRIDGE_STATE,
    redisUrl: s.REDIS_URL,
    probeAfterMs: s.BRIDGE_PROBE_AFTER * 1000,
    marketDataType: s.IBKR_MARKET_DATA_TYPE,
    host: s.BRIDGE_HOST,
    port: s.BRIDGE_PORT,
    keys: s.BRIDGE_KEY ?? [],
    readKeys: s.BRIDGE_READ_KEY ?? [],
  }
}

/** Where a bridge keeps what it sent to this gateway, in a folder of its own, unless told otherwise. */
export function stateFileIn(folder: string, { host, port }: BridgeSettings['gateway']): string {
  return path.join(folder, `sent-${host.replaceAll(/[^\w.-]/g, '_')}-${port}.jsonl`)
}

/** A secret's value, or the content of the file that `NAME_FILE` names. */
export function secret(env: Readonly<Record<string, string | undefined>>, name: string): string | undefined {
  const path = env[`${name}_FILE`]
  if (env[name]) return env[name]
  if (!path) return undefined
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (cause) {
    throw new TidegateError('invalid', `${name}_FILE names ${path}, which can not be read.`, { cause })
  }
}

/** Every fault of the settings in one message: those that the schema found, with the value unless it is secret, and more. */
export function settingsError(error: z.ZodError | undefined, more: readonly string[] = []): TidegateError {
  const faults = (error?.issues ?? []).map((issue) => {
    // Of two keys, which one it was would be a number behind a name that nobody has set.
    const name = String(issue.path[0])
    const isText = typeof issue.input === 'string' || typeof issue.input === 'number'
    const value = isText && !SECRET.test(name) ? ` (it is "${issue.input}")` : ''
    return `${name}: ${issue.message}${value}`
  })
  const lines = [...new Set([...faults, ...more])].map((fault) => `  ${fault}`)
  return new TidegateError('invalid', `The settings are wrong:\n${lines.join('\n')}`)
}

/** The keys, or what is wrong with where they should be: without one, nobody could be let in. */
function bridgeKeys(env: Readonly<Record<string, string | undefined>>): {
  key?: string
  readKey?: string
  faults: string[]
} {
  try {
    const readKey = secret(env, 'BRIDGE_READ_KEY') || undefined
    const key = secret(env, 'BRIDGE_KEY')
    if (key) return { key, readKey, faults: [] }
    const host = env.BRIDGE_HOST || '127.0.0.1'
    const where = LOOPBACK.has(host) ? '' : `: BRIDGE_HOST ${host} is open to others`
    return { faults: [`BRIDGE_KEY: ${A_KEY}${where}`] }
  } catch (error) {
    return { faults: [toTidegateError(error).message] }
  }
}

function withoutEmpty(env: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
}
