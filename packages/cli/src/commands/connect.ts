import { TidegateError } from '@tidegate/core'
import type { BridgeStatus, RelayStatus } from '@tidegate/relay'
import { findServer } from '../beacon.ts'
import { createClient } from '../client.ts'
import type { Context } from '../context.ts'
import { entriesOf, loginText } from '../gateway.ts'
import { openRelay } from '../relay.ts'
import { bridgeSettings, readSettings } from '../settings.ts'
import { listOf } from '../table.ts'
import { commandLog } from '../target.ts'

export interface ConnectOptions {
  readonly timeoutMs: number
  readonly verbose: boolean
}

/**
 * Prints how the gateway is connected, of several bridges each one's; status 0 where one of them is ready. A Tidegate that runs is asked for its own connection; without one, or where
 * `IBKR_HOST` or `IBKR_PORT` means another gateway than it has, that is connected to, and no database touched.
 * Throws, with what to check, where the gateway is not ready.
 */
export async function runConnect(context: Context, options: ConnectOptions): Promise<number> {
  const status = await statusOf(context, options)
  context.out(connectionText(status, context.columns))
  const { gateway } = status
  if (gateway.state === 'ready') return 0
  throw new TidegateError('disconnected', gateway.reason ?? `The gateway is ${gateway.state}.`)
}

async function statusOf(context: Context, { timeoutMs, verbose }: ConnectOptions): Promise<RelayStatus> {
  const settings = readSettings(context.env, context.newKey)
  const server = settings.server ?? (await findServer(context))
  if (server) {
    const { bridge } = await createClient({ ...server, fetch: context.fetch }).status()
    const isAnyMeant = settings.server !== undefined || !settings.meansGateway
    if (bridge.ok && (isAnyMeant || gatewaysOf(bridge).some((gateway) => isMeant(context, gateway)))) return bridge
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
    return await relay.status()
  } finally {
    await close()
  }
}

function gatewaysOf({ gateway, bridges }: RelayStatus): BridgeStatus['gateway'][] {
  return bridges ? bridges.flatMap((report) => (report.ok ? report.gateway : [])) : [gateway]
}

function connectionText({ gateway, bridges }: RelayStatus, width: number | undefined): string {
  if (!bridges) return listOf(entriesOf(gateway), width)
  const parts = bridges.map((report) => {
    if (!report.ok) return `Bridge ${report.name}: ${report.error.message}\n`
    return `Bridge ${report.name}\n${listOf([['login', loginText(report.gateway)], ...entriesOf(report.gateway)], width)}`
  })
  return parts.join('\n')
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
