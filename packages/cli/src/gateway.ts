import type { BridgeStatus } from '@tidegate/relay'
import { momentCell } from './table.ts'

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
    ['data', accounts.length === 0 ? '–' : simulated ? 'SIMULATED: made up by the simulator' : 'from the gateway'],
    ['connected at', connectedAt ?? '–'],
    ['farms', farms.map(({ name, kind, state }) => `${name} (${kind}): ${state}`).join('\n') || 'none named yet'],
  ]
}

/** Where the login stands, since when it is not there, and why. */
export function loginText({ phase, reason, lastUpAt }: BridgeStatus['gateway']): string {
  const since = lastUpAt === undefined ? '' : ` since ${momentCell(lastUpAt)} UTC`
  return `${phase}${since}${reason ? `: ${reason}` : ''}`
}
