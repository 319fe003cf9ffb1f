import { readFileSync } from 'node:fs'
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

/** One key, or two separated by a comma while they are rotated. */
export const keysSchema = z
  .string()
  .transform((text) => text.split(',').map((key) => key.trim()))
  .pipe(
    z
      .array(z.string().min(MIN_KEY_LENGTH, `expected at least ${MIN_KEY_LENGTH} characters a key`))
      .min(1)
      .max(2, 'expected one key, or two while they are rotated'),
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
  TWS_ACCOUNT: z
    .string()
    .regex(/^[A-Z]{1,3}\d{4,12}$/, 'expected an account number such as DU1234567')
    .optional(),
  BRIDGE_HOST: z.string().min(1).default('127.0.0.1'),
  BRIDGE_PORT: wholeNumber(0, 65_535).default(8787),
  BRIDGE_KEY: keysSchema.optional(),
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
  readonly marketDataType: keyof typeof MARKET_DATA_TYPES
  readonly host: string
  readonly port: number
  readonly keys: readonly string[]
}

/** The settings from environment variables. Throws `invalid`, naming every fault at once and never a secret. */
export function readSettings(env: Readonly<Record<string, string | undefined>>): BridgeSettings {
  const { key, faults } = bridgeKey(env)
  const parsed = schema.safeParse({ ...withoutEmpty(env), BRIDGE_KEY: key }, { reportInput: true })
  if (!parsed.success || faults.length > 0) throw settingsError(parsed.error, faults)
  const s = parsed.data
  return {
    gateway: { host: s.IBKR_HOST, port: s.IBKR_PORT, clientId: s.IBKR_CLIENT_ID },
    tradingMode: s.IBKR_TRADING_MODE,
    account: s.TWS_ACCOUNT,
    connectionTimeoutMs: s.IBKR_CONNECTION_TIMEOUT * 1000,
    requestTimeoutMs: s.IBKR_REQUEST_TIMEOUT * 1000,
    messagesPerSec: s.IBKR_RATE_LIMIT,
    marketDataType: s.IBKR_MARKET_DATA_TYPE,
    host: s.BRIDGE_HOST,
    port: s.BRIDGE_PORT,
    keys: s.BRIDGE_KEY ?? [],
  }
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
    const name = issue.path.join('.')
    const isText = typeof issue.input === 'string' || typeof issue.input === 'number'
    const value = isText && !SECRET.test(name) ? ` (it is "${issue.input}")` : ''
    return `${name}: ${issue.message}${value}`
  })
  const lines = [...new Set([...faults, ...more])].map((fault) => `  ${fault}`)
  return new TidegateError('invalid', `The settings are wrong:\n${lines.join('\n')}`)
}

/** The key, or what is wrong with where it should be: without one, nobody could be let in. */
function bridgeKey(env: Readonly<Record<string, string | undefined>>): { key?: string; faults: string[] } {
  try {
    const key = secret(env, 'BRIDGE_KEY')
    if (key) return { key, faults: [] }
    const host = env.BRIDGE_HOST || '127.0.0.1'
    const where = LOOPBACK.has(host) ? '' : `: BRIDGE_HOST ${host} is open to others`
    return { faults: [`BRIDGE_KEY: expected a key of at least ${MIN_KEY_LENGTH} characters${where}`] }
  } catch (error) {
    return { faults: [toTidegateError(error).message] }
  }
}

function withoutEmpty(env: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
}
