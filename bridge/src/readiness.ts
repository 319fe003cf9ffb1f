import { lastExpiryMs, resetAt, TidegateError } from '@tidegate/core'
import type { BridgeStatus, Farm } from '@tidegate/relay'
import { isSimulated, masked, modeOf } from './account.ts'
import { isDisproved, isPaused, type LoginState, type Probed } from './state.ts'

/** When asking again makes sense while the bridge connects or IBKR mends: the longest pause between two tries. */
const RETRY_MS = 30_000
/** So long a gateway that says nothing may be starting; after that somebody has to look. */
const MUTE_MS = 10 * 60_000
/** On Sunday, once logins have ended, there is less to hope for: no more than a restart takes. */
const SUNDAY_MUTE_MS = 2 * 60_000
/** IBKR ends logins at an hour, not to the second: a connection may outlive it by a while. */
const EXPIRY_SLACK_MS = 3600_000
const LOG_IN =
  'Log in at the gateway’s own window (in Docker: set VNC_SERVER_PASSWORD, then VNC to port 5900) and confirm the ' +
  'second factor; the bridge then connects by itself.'
/** What can be done about servers that are out of reach: mostly nothing. */
const BY_ITSELF = 'It comes back by itself; if it lasts, look at the network of the gateway’s machine.'

/** What the settings say of the login; undefined where they say nothing. */
export interface ExpectedLogin {
  readonly account?: string
  readonly tradingMode?: 'paper' | 'live'
}

/** What a request needs: the history servers, those of definitions, or no more than a login that stands. */
export type Need = 'history' | 'definition' | 'login'

/** Why a request with this need can't be asked at `atMs`; undefined where it can. An open port proves nothing. */
export function obstacleOf(
  state: LoginState,
  expected: ExpectedLogin,
  atMs: number,
  need: Need = 'history',
): TidegateError | undefined {
  if (state.connection !== 'up') return unconnected(state, atMs)
  return loginObstacle(state, expected, atMs) ?? serverObstacle(state, atMs, need)
}

/** Whether IBKR has ended the login since it last stood, as it does every Sunday. */
function isExpired({ lastUpMs, muteSinceMs }: LoginState, atMs: number): boolean {
  const expiryMs = lastExpiryMs(atMs)
  return (
    lastUpMs !== undefined &&
    muteSinceMs !== undefined &&
    muteSinceMs >= expiryMs &&
    lastUpMs < expiryMs + EXPIRY_SLACK_MS
  )
}

function unconnected(state: LoginState, atMs: number): TidegateError {
  const { trouble, muteSinceMs } = state
  const reset = resetAt(atMs)
  if (muteSinceMs !== undefined && !reset) {
    const muteMs = atMs - muteSinceMs
    if (isExpired(state, atMs) && muteMs >= SUNDAY_MUTE_MS)
      return loginRequired(`IBKR ended this login, as it does every Sunday at 01:00 New York time. ${LOG_IN}`, trouble)
    if (muteMs >= MUTE_MS) {
      const since = new Date(muteSinceMs).toISOString()
      return loginRequired(`The gateway takes connections and has said nothing since ${since}. ${LOG_IN}`, trouble)
    }
  }
  const why = trouble?.message ?? 'Connecting to the gateway.'
  return new TidegateError('disconnected', reset && trouble ? `${why} ${resetText(reset)}` : why, {
    cause: trouble,
    code: trouble?.code,
    retryAfterMs: RETRY_MS,
  })
}

function loginObstacle(state: LoginState, expected: ExpectedLogin, atMs: number): TidegateError | undefined {
  const { accounts, competing } = state
  const [first] = accounts
  if (first === undefined) {
    const why = isExpired(state, atMs) ? ' IBKR ended its login, as every Sunday at 01:00 New York time.' : ''
    return loginRequired(`The gateway lists no account: it is not logged in.${why} ${LOG_IN}`)
  }
  if (!isSimulated(first)) {
    const { account, tradingMode } = expected
    if (account !== undefined && !accounts.includes(account)) {
      const has = accounts.map(masked).join(', ')
      const advice = 'log the gateway in to that account, or change TWS_ACCOUNT'
      return loginRequired(`TWS_ACCOUNT is ${masked(account)} and the login has ${has}: ${advice}.`)
    }
    if (tradingMode !== undefined && modeOf(first) !== tradingMode) {
      const advice = 'change the one or the other (ports: Gateway 4002 paper, 4001 live; TWS 7497 paper, 7496 live)'
      const found = `IBKR_TRADING_MODE is ${tradingMode} and the gateway's login is ${modeOf(first)}`
      return loginRequired(`${found}: ${advice}.`)
    }
  }
  if (competing && isPaused(state, atMs)) {
    const until = new Date(competing.untilMs).toISOString()
    const { message, code } = competing.error
    return new TidegateError('competing-session', `${message} Nothing is asked until ${until}.`, {
      cause: competing.error,
      code,
      retryAfterMs: competing.untilMs - atMs,
    })
  }
  return undefined
}

function serverObstacle(state: LoginState, atMs: number, need: Need): TidegateError | undefined {
  if (need === 'login') return undefined
  const { cutOff, silentSinceMs } = state
  const reset = resetAt(atMs)
  const hint = reset ? resetText(reset) : BY_ITSELF
  if (cutOff) {
    const message = `The gateway has lost its connection to IBKR (${cutOff.code}), ${sinceText(cutOff.sinceMs)}. ${hint}`
    return new TidegateError('disconnected', message, { code: cutOff.code, retryAfterMs: RETRY_MS })
  }
  const broken = brokenFarms(state, need)
  if (broken.length > 0) {
    return new TidegateError('farm-down', `${brokenText(need, broken)} ${hint}`, {
      code: need === 'history' ? 2105 : 2157,
      retryAfterMs: RETRY_MS,
    })
  }
  if (need === 'history' && silentSinceMs !== undefined) {
    const message = `IBKR's history servers have answered nothing, a probe included, ${sinceText(silentSinceMs)}. ${hint}`
    return new TidegateError('farm-down', message, { retryAfterMs: RETRY_MS })
  }
  return undefined
}

/** Farms of a kind that a notice calls broken, where no probe since has proved the contrary. */
function brokenFarms(state: LoginState, kind: Probed): Farm[] {
  return [...state.farms.values()].filter(
    (farm) => farm.kind === kind && farm.state === 'broken' && !isDisproved(state, farm),
  )
}

const SERVERS: Readonly<Record<Farm['kind'], string>> = {
  history: 'history servers',
  definition: 'servers of contract definitions',
  market: 'servers of live data',
}

function brokenText(kind: Farm['kind'], broken: readonly Farm[]): string {
  return `IBKR's ${SERVERS[kind]} are out of reach (${namesOf(broken)}), ${sinceText(firstMs(broken))}.`
}

/** Of farms that are broken by a notice only. */
function disprovedText(kind: Farm['kind'], broken: readonly Farm[]): string {
  const told = `The gateway calls IBKR's ${SERVERS[kind]} broken (${namesOf(broken)}), ${sinceText(firstMs(broken))}`
  return `${told}, and has not said that they are back; a probe was answered, so they are asked.`
}

const namesOf = (farms: readonly Farm[]) => farms.map(({ name }) => name).join(', ')
const firstMs = (farms: readonly Farm[]) => Math.min(...farms.map(({ since }) => Date.parse(since)))

function sinceText(sinceMs: number): string {
  return `since ${new Date(sinceMs).toISOString()}`
}

/**
 * Why the login is not all that it could be, in words: what stands against history, or else which servers are out of
 * reach that history does not need. Undefined where all is well.
 */
export function reasonOf(state: LoginState, obstacle: TidegateError | undefined): string | undefined {
  if (obstacle) return obstacle.message
  const broken = [...state.farms.values()].filter((farm) => farm.state === 'broken')
  const told = (isOver: boolean, text: typeof brokenText) =>
    (['definition', 'market', 'history'] as const).flatMap((kind) => {
      const farms = broken.filter((farm) => farm.kind === kind && isDisproved(state, farm) === isOver)
      return farms.length > 0 ? [text(kind, farms)] : []
    })
  const out = told(false, brokenText)
  if (out.length > 0) out.push(`History is answered all the same. ${BY_ITSELF}`)
  const texts = [...out, ...told(true, disprovedText)]
  return texts.length > 0 ? texts.join(' ') : undefined
}

/** Where the login stands, in one word. `degraded`: connected, and some server of IBKR's is out of reach. */
export function phaseOf(state: LoginState, obstacle: TidegateError | undefined): BridgeStatus['gateway']['phase'] {
  if (obstacle?.kind === 'login-required') return 'login-required'
  if (obstacle?.kind === 'competing-session') return 'competing'
  if (state.connection === 'none') return 'connecting'
  if (state.connection === 'handshaking') return 'handshaking'
  const ill = [...state.farms.values()].some((farm) => farm.state === 'broken')
  return obstacle || ill ? 'degraded' : 'ready'
}

/** True where "no such contract" may be an outage speaking: 200 is known to be false then. */
export function isDoubtful(state: LoginState): boolean {
  return state.cutOff !== undefined || brokenFarms(state, 'definition').length > 0
}

function resetText({ name, endMs }: { name: string; endMs: number }): string {
  return `It is IBKR's ${name} reset, until ${new Date(endMs).toISOString()}: it comes back by itself.`
}

function loginRequired(message: string, cause?: TidegateError): TidegateError {
  return new TidegateError('login-required', message, { cause })
}
