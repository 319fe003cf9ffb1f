import { TidegateError } from '@tidegate/core'
import { isSimulated, masked, modeOf } from './account.ts'
import type { Connection } from './connection.ts'

/** What the settings say of the login; undefined where they say nothing. */
export interface ExpectedLogin {
  readonly account?: string
  readonly tradingMode?: 'paper' | 'live'
}

/** Why a connection can't serve: a person must act, or IBKR is out of reach. Undefined where it can. An open port proves nothing. */
export function obstacleOf(connection: Connection, expected: ExpectedLogin): TidegateError | undefined {
  const { accounts, farms, cutOff } = connection
  const [first] = accounts
  if (first === undefined) {
    return new TidegateError('login-required', 'The gateway lists no account: log it in.')
  }
  if (!isSimulated(first)) {
    const { account, tradingMode } = expected
    if (account !== undefined && !accounts.includes(account)) {
      const has = accounts.map(masked).join(', ')
      const advice = 'log the gateway in to that account, or change TWS_ACCOUNT'
      return new TidegateError(
        'login-required',
        `TWS_ACCOUNT is ${masked(account)} and the login has ${has}: ${advice}.`,
      )
    }
    if (tradingMode !== undefined && modeOf(first) !== tradingMode) {
      const advice = 'change the one or the other (ports: Gateway 4002 paper, 4001 live; TWS 7497 paper, 7496 live)'
      const found = `IBKR_TRADING_MODE is ${tradingMode} and the gateway's login is ${modeOf(first)}`
      return new TidegateError('login-required', `${found}: ${advice}.`)
    }
  }
  if (cutOff) return new TidegateError('disconnected', 'The gateway has lost its connection to IBKR (1100).')
  const broken = farms.filter((farm) => farm.kind === 'history' && farm.state === 'broken').map((farm) => farm.name)
  return broken.length > 0
    ? new TidegateError('farm-down', `IBKR's history servers are out of reach (${broken.join(', ')}).`, { code: 2105 })
    : undefined
}
