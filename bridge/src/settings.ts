import { readFileSync } from 'node:fs'
import { TidegateError } from '@tidegate/core'
import { z } from 'zod'

const MIN_KEY_LENGTH = 32
const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost'])

const wholeNumber = (least: number, most: number) => z.coerce.number().int().min(least).max(most)
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

const schema = z
  .object({
    IBKR_HOST: z.string().min(1).default('127.0.0.1'),
    IBKR_PORT: wholeNumber(1, 65_535).default(4002),
    IBKR_CLIENT_ID: wholeNumber(0, 2_147_483_647).default(1),
    IBKR_TRADING_MODE: z.enum(['paper', 'live']).default('paper'),
    IBKR_READ_ONLY: flag.default(true),
    IBKR_CONNECTION_TIMEOUT: wholeNumber(1, 3600).default(300),
    IBKR_REQUEST_TIMEOUT: wholeNumber(1, 600).default(60),
    IBKR_RATE_LIMIT: wholeNumber(1, 50).default(45),
    IBKR_MARKET_DATA_TYPE: z.enum(['REALTIME', 'FROZEN', 'DELAYED', 'DELAYED_FROZEN']).default('DELAYED_FROZEN'),
    TWS_ACCOUNT: z.string().optional(),
    BRIDGE_HOST: z.string().min(1).default('127.0.0.1'),
    BRIDGE_PORT: wholeNumber(0, 65_535).default(8787),
    BRIDGE_KEY: keysSchema.optional(),
  })
  .check((context) => {
    const { BRIDGE_HOST, BRIDGE_KEY } = context.value
    if (BRIDGE_KEY) return
    const where = LOOPBACK.has(BRIDGE_HOST) ? '' : `: BRIDGE_HOST ${BRIDGE_HOST} is open to others`
    context.issues.push({
      code: 'custom',
      path: ['BRIDGE_KEY'],
      message: `expected a key of at least ${MIN_KEY_LENGTH} characters${where}`,
      input: undefined,
    })
  })

/** IBKR's numbers of the market data types. */
export const MARKET_DATA_TYPES = { REALTIME: 1, FROZEN: 2, DELAYED: 3, DELAYED_FROZEN: 4 } as const

export interface BridgeSettings {
  readonly gateway: { readonly host: string; readonly port: number; readonly clientId: number }
  readonly tradingMode: 'paper' | 'live'
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
  const parsed = schema.safeParse({ ...withoutEmpty(env), BRIDGE_KEY: secret(env, 'BRIDGE_KEY') })
  if (!parsed.success) throw settingsError(parsed.error)
  const s = parsed.data
  return {
    gateway: { host: s.IBKR_HOST, port: s.IBKR_PORT, clientId: s.IBKR_CLIENT_ID },
    tradingMode: s.IBKR_TRADING_MODE,
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

/** Every fault of the settings in one message. */
export function settingsError(error: z.ZodError): TidegateError {
  const faults = error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`)
  return new TidegateError('invalid', `The settings are wrong:\n${[...new Set(faults)].join('\n')}`)
}

function withoutEmpty(env: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
}
