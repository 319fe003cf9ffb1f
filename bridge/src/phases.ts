import type { ErrorKind } from '@tidegate/core'
import type { BridgeStatus } from '@tidegate/relay'
import type { Log } from './log.ts'

/** Where a login stands, as far as the log tells changes of it. */
export interface Standing {
  readonly phase: BridgeStatus['gateway']['phase']
  /** What stands against history. */
  readonly obstacle: ErrorKind | undefined
  readonly reason: string | undefined
  /** Within a reset of IBKR's, what breaks is nothing to worry about. */
  readonly isCalm: boolean
}

/** Tells the log each change of a login's phase once: an error where a person must act, a warning where it is worse than ready. */
export function createPhaseLog(log: Log, gateway: { host: string; port: number }): (standing: Standing) => void {
  let told = 'connecting disconnected'
  return ({ phase, obstacle, reason, isCalm }) => {
    // While nobody says hello it goes from the one to the other at every try.
    const shown = phase === 'handshaking' ? 'connecting' : phase
    const now = `${shown} ${obstacle ?? 'ready'}`
    if (now === told) return
    told = now
    const level = phase === 'login-required' ? 'error' : phase === 'ready' || isCalm ? 'info' : 'warn'
    log[level]({ ...gateway, phase: shown }, `the login is ${shown}${reason === undefined ? '' : `: ${reason}`}`)
  }
}
