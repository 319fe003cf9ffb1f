import { join } from 'node:path'
import { type BridgeOptions, createBridge, stateFileIn } from '@tidegate/bridge'
import { TidegateError } from '@tidegate/core'
import { openRelays } from '@tidegate/functions'
import { createRelay, type Relay } from '@tidegate/relay'
import type { Context } from './context.ts'
import { bridgeSettings, type Settings } from './settings.ts'

export interface OpenRelay {
  readonly relay: Relay
  close(): Promise<void>
}

export interface RelayOptions {
  /** The gateway to connect to, where it is not the one of the settings. */
  readonly gateway?: { readonly host: string; readonly port: number }
  /** How long the gateway may take to be ready. Default: as the settings say. */
  readonly timeoutMs?: number
  readonly log: BridgeOptions['log']
}

/**
 * The relay of the bridge that the settings name, or of one in this process, ready to be asked.
 * Throws `disconnected` or `timeout`, with what to check, where the gateway can't be reached.
 */
export async function openRelay(
  { env, newKey, cwd, now }: Pick<Context, 'env' | 'newKey' | 'cwd' | 'now'>,
  settings: Settings,
  { gateway, timeoutMs, log }: RelayOptions,
): Promise<OpenRelay> {
  if (settings.bridges && !gateway) {
    const relay = openRelays(settings.bridges, now)
    await relay.status(timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs))
    return { relay, close: async () => {} }
  }
  const key = newKey()
  const own = bridgeSettings(env, key, gateway)
  const connectionTimeoutMs = timeoutMs ?? own.connectionTimeoutMs
  // A simulator of this process's own ends with it, and remembers nothing of what was asked.
  const stateFile = gateway ? undefined : (own.stateFile ?? stateFileIn(join(cwd, '.tidegate'), own.gateway))
  const bridge = await createBridge({
    settings: { ...own, connectionTimeoutMs, stateFile },
    log,
    listen: false,
    untilReady: true,
  }).catch((cause) => {
    throw explained(cause, own.gateway, connectionTimeoutMs)
  })
  const relay = createRelay({ url: 'http://bridge.in-process', key, fetch: bridge.fetch })
  return { relay, close: () => bridge.close() }
}

const CHECK =
  'Is the gateway logged in, is its API enabled, does a dialog wait there for a person, is the address of this machine trusted?'

/** What to check where a connection came about and no gateway answered on it. */
function explained(cause: unknown, { host, port }: { host: string; port: number }, timeoutMs: number): unknown {
  if (!(cause instanceof TidegateError) || (cause.kind !== 'disconnected' && cause.kind !== 'timeout')) return cause
  const say = (message: string) => new TidegateError(cause.kind, message, { cause, code: cause.code })
  if (cause.message.startsWith('Connecting to ')) {
    const within = `within ${timeoutMs / 1000} s`
    return say(`Something listens at ${host}:${port} but did not answer as a gateway ${within}. ${CHECK}`)
  }
  if (cause.message.includes('can not be read')) {
    const what = cause.message.includes('answered HTTP') ? 'a web server' : 'a program that speaks something else'
    const ports = 'Gateway 4002 paper, 4001 live; TWS 7497 paper, 7496 live'
    return say(`What listens at ${host}:${port} is no gateway but ${what}. Is the port right (${ports})?`)
  }
  return cause
}

/** A relay that can't be asked anything: what is stored can be looked at without a gateway. */
export function absentRelay(reason: TidegateError): Relay {
  const refuse = async (): Promise<never> => {
    throw reason
  }
  return {
    contracts: refuse,
    search: refuse,
    chains: refuse,
    bars: refuse,
    ticks: refuse,
    head: refuse,
    sessions: refuse,
    status: refuse,
  }
}
