import type { BridgeStatus } from '@tidegate/relay'
import { isSimulated, masked, modeOf } from './account.ts'
import type { Connection } from './connection.ts'
import { type ExpectedLogin, obstacleOf, phaseOf, reasonOf } from './readiness.ts'
import type { LoginState } from './state.ts'

/** What the outside may know of a login at `nowMs`: accounts masked. */
export function statusOf(
  state: LoginState,
  { host, port, expected }: { host: string; port: number; expected: ExpectedLogin },
  connection: Connection | undefined,
  nowMs: number,
): BridgeStatus['gateway'] {
  const obstacle = obstacleOf(state, expected, nowMs)
  const [first] = state.accounts
  const isUp = state.connection === 'up'
  return {
    host,
    port,
    state: obstacle === undefined ? 'ready' : isUp || state.attempts > 0 ? 'down' : 'connecting',
    phase: phaseOf(state, obstacle),
    reason: reasonOf(state, obstacle),
    serverVersion: connection?.serverVersion,
    connectedAt: isoOf(state.connectedMs),
    lastUpAt: isUp && first !== undefined ? undefined : isoOf(state.lastUpMs),
    time: connection && new Date(connection.now()).toISOString(),
    aheadMs: connection?.aheadMs,
    accounts: state.accounts.map(masked),
    mode: modeOf(first),
    simulated: first !== undefined && isSimulated(first),
    farms: [...state.farms.values()],
  }
}

function isoOf(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString()
}
