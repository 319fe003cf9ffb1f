import { TidegateError } from '@tidegate/core'
import type { BridgeStatus } from '@tidegate/relay'
import { findServer } from '../beacon.ts'
import { createClient } from '../client.ts'
import type { Context } from '../context.ts'
import { openRelay } from '../relay.ts'
import { bridgeSettings, readSettings } from '../settings.ts'
import { listOf } from '../table.ts'
import { commandLog } from '../target.ts'

export interface ConnectOptions {
  readonly timeoutMs: number
  readonly verbose: boolean
}

/**
 * Prints how the gateway is connected. A Tidegate that runs is asked for its own connection; without one, or where
 * `IBKR_HOST` or `IBKR_PORT` means another gateway than it has, that is connected to, and no database touched.
 * Throws, with what to check, where the gateway is not ready.
 */
export async function runConnect(context: Context, options: ConnectOptions): Promise<number> {
  const gateway = await gatewayOf(context, options)
  context.out(listOf(entriesOf(gateway), context.columns))
  if (gateway.state === 'ready') return 0
  throw new TidegateError('disconnected', gateway.reason ?? `The gateway is ${gateway.state}.`)
}

async function gatewayOf(context: Context, { timeoutMs, verbose }: ConnectOptions): Promise<BridgeStatus['gateway']> {
  const settings = readSettings(context.env, context.newKey)
  const server = settings.server ?? (await findServer(context))
  if (server) {
    const { bridge } = await createClient({ ...server, fetch: context.fetch }).status()
    const isAnyMeant = settings.server !== undefined || !settings.meansGateway
    if (bridge.ok && (isAnyMeant || isMeant(context, bridge.gateway))) return bridge.gateway
    if (!bridge.ok && isAnyMeant) {
      const { kind, message, code } = bridge.error
      throw new TidegateError(kind, message, { code })
    }
  }
  const log = commandLog(context, verbose)
  const { relay, close } = await openRelay(context, settings, { timeoutMs, log }).catch((cause) => {
    throw advised(cause)
  })
  try {
    return (await relay.status()).gateway
  } finally {
    await close()
  }
}

/** Whether it is the gateway of the settings: one that has a bridge already is not connected to by another. */
function isMeant({ env, newKey }: Context, { host, port }: BridgeStatus['gateway']): boolean {
  const { gateway } = bridgeSettings(env, newKey())
  return gateway.host === host && gateway.port === port
}

function advised(cause: unknown): unknown {
  if (!(cause instanceof TidegateError) || cause.kind !== 'disconnected') return cause
  const advice = 'To try Tidegate without a gateway, run: npx tidegate simulate'
  return new TidegateError(cause.kind, `${cause.message} ${advice}`, { cause, code: cause.code })
}

/** The connection, a line a fact. */
export function entriesOf(gateway: BridgeStatus['gateway']): [string, string][] {
  const { host, port, accounts, serverVersion, mode, state, simulated, connectedAt, farms } = gateway
  return [
    ['host', host],
    ['port', String(port)],
    ['state', state],
    [accounts.length > 1 ? 'accounts' : 'account', accounts.join(', ') || '–'],
    ['server version', String(serverVersion ?? '–')],
    ['mode', mode],
    ['data', simulated ? 'SIMULATED: made up by the simulator' : 'from the gateway'],
    ['connected at', connectedAt ?? '–'],
    ['farms', farms.map(({ name, kind, state }) => `${name} (${kind}): ${state}`).join('\n') || 'none named yet'],
  ]
}
