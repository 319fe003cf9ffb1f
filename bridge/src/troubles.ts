import { TidegateError } from '@tidegate/core'
import type { Log } from './log.ts'

const CLIENT_ID_IN_USE = 326
const SECOND_BRIDGE =
  'Where that is a second bridge of this login, both need the same REDIS_URL to share IBKR’s limits.'

/** What the log is told of connections that could not be made. */
export interface Troubles {
  /** The same again, whichever client id was tried, is no news: a gateway can be away for days. */
  meet(error: TidegateError, clientId: number, severity: 'info' | 'warn'): void
  /** A connection stands: whatever comes next is news. */
  forget(): void
}

export function createTroubles(log: Log, gateway: { host: string; port: number }): Troubles {
  let told = ''
  return {
    meet(error, clientId, severity) {
      const { kind, code, message } = error
      const level = told === `${kind} ${code}` ? 'debug' : severity
      told = `${kind} ${code}`
      if (kind === 'conflict') log[level]({ ...gateway, clientId }, `${message} ${SECOND_BRIDGE}`)
      else log[level]({ ...gateway, clientId, err: error }, 'could not connect to the gateway')
    },
    forget() {
      told = ''
    },
  }
}

/** None of `count` client ids from `first` on is free. */
export function allIdsTaken(first: number, count: number): TidegateError {
  const message =
    `Client ids ${first} to ${first + count - 1} are all taken at the gateway: ` +
    'stop a program that uses one, or set IBKR_CLIENT_ID to a number that is free.'
  return new TidegateError('conflict', message, { code: CLIENT_ID_IN_USE })
}
