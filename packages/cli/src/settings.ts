import { type BridgeSettings, readSettings as readBridgeSettings } from '@tidegate/bridge'
import { TidegateError } from '@tidegate/core'
import {
  type BridgeAddress,
  type FunctionsSettings,
  readSettings as readFunctionsSettings,
  withSecretFiles,
} from '@tidegate/functions'

type Environment = Readonly<Record<string, string | undefined>>

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost'])

/** Where something of ours answers, and the key it takes. */
export interface Door {
  readonly url: string
  readonly key: string
}

export interface Settings {
  /** A Tidegate that runs elsewhere: `TIDEGATE_URL` and `TIDEGATE_KEY`. */
  readonly server: Door | undefined
  /** Bridges that run elsewhere: `BRIDGE_URL` and `BRIDGE_KEY`, or `BRIDGES`. Undefined: one in this process. */
  readonly bridges: readonly BridgeAddress[] | undefined
  /** Whether a gateway's host or port was named: whoever does that means that one, and no simulator stands in for it. */
  readonly meansGateway: boolean
  /** Of the functions in this process. Their key is a fresh one where none is set. */
  readonly functions: FunctionsSettings
}

/**
 * The command's settings, by the readers of the functions and the bridge: a key that is not set is a fresh one, where
 * nobody but this process and its owner's files needs it. Throws `invalid`, naming every fault at once and never a secret.
 */
export function readSettings(env: Environment, newKey: () => string): Settings {
  const given = withSecretFiles(env)
  const { TIDEGATE_URL, BRIDGE_URL, BRIDGES } = given
  const open = given.FUNCTIONS_HOST && !LOOPBACK.has(given.FUNCTIONS_HOST)
  const functions = readFunctionsSettings({
    ...given,
    TIDEGATE_KEY: given.TIDEGATE_KEY || (TIDEGATE_URL || open ? undefined : newKey()),
    BRIDGE_KEY: BRIDGE_URL ? given.BRIDGE_KEY : newKey(),
  })
  return {
    server: TIDEGATE_URL ? { url: address('TIDEGATE_URL', TIDEGATE_URL), key: functions.keys[0] ?? '' } : undefined,
    bridges: BRIDGE_URL || BRIDGES ? functions.bridges : undefined,
    meansGateway: Boolean(given.IBKR_HOST || given.IBKR_PORT),
    functions,
  }
}

/** The settings of a bridge in this process, which has no port and a key that nobody else knows. */
export function bridgeSettings(
  env: Environment,
  key: string,
  gateway?: { readonly host: string; readonly port: number },
): BridgeSettings {
  const own = { BRIDGE_KEY: key, BRIDGE_HOST: undefined, BRIDGE_PORT: undefined }
  const named = gateway ? { IBKR_HOST: gateway.host, IBKR_PORT: String(gateway.port) } : {}
  return readBridgeSettings({ ...env, ...own, ...named })
}

function address(name: string, text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text
  throw new TidegateError('invalid', `${name} is "${text}": expected an address such as http://127.0.0.1:8080.`)
}
