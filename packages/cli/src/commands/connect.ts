import { TidegateError } from '@tidegate/core'
import type { BridgeStatus } from '@tidegate/relay'
import { findServer } from '../beacon.ts'
import { createClient } from '../client.ts'
import type { Context } from '../context.ts'
import { openRelay } from '../relay.ts'
import { readSettings } from '../settings.ts'
import { listOf } from '../table.ts'
import { commandLog } from '../target.ts'

export interface ConnectOptions {
  readonly timeoutMs: number
  readonly verbose: boolean
}

/**
 * Prints how the gateway is connected. A Tidegate that runs is asked for its own connection; without one, or where
 * `IBKR_HOST` or `IBKR_PORT` means a certain gateway, that is connected to, and no database touched.
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
  const server = settings.server ?? (settings.meansGateway ? undefined : await findServer(context))
  if (server) {
    const { bridge } = await createClient({ ...server, fetch: context.fetch }).status()
    if (bridge.ok) return bridge.gateway
    const { kind, message, code } = bridge.error
    throw new TidegateError(kind, message, { code })
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
