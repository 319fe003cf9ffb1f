import { FaultError, isRecord } from './faults/read.ts'
import type { Faults } from './faults.ts'

/** Something that happens to a gateway at once. */
export type GatewayEvent =
  /** A message that belongs to no request, to every client; those IBKR sends of itself also set the state they tell of. */
  | { readonly type: 'notice'; readonly code: number; readonly text?: string }
  /** Every connection closes; the port stays open. */
  | { readonly type: 'drop' }
  /** Every connection closes, and new ones are refused until `start`. */
  | { readonly type: 'stop' }
  | { readonly type: 'start' }
  /** `stop`, and `start` after so many milliseconds: what a gateway does every night. */
  | { readonly type: 'restart'; readonly downMs: number }
  /** Sunday's end of the login: every connection closes, and new ones get what the fault `loggedOut` says, by default silence. */
  | { readonly type: 'logout' }
  | { readonly type: 'login' }
  /** A listing splits, `ratio` new shares for one old, at an instant (epoch seconds; now, where none is given): from then on its past is told anew. */
  | { readonly type: 'split'; readonly conId: number; readonly ratio: number; readonly atSec?: number }
  /** Daily closes of futures turn from the last trade into the settlement so long after their session; null: never. */
  | { readonly type: 'settlement'; readonly delaySec: number | null }

interface Notice {
  readonly text: string
  /** What is so from now on. */
  readonly state: Partial<Faults>
}

const lost = 'Connectivity between IB and Trader Workstation has been'

/** IBKR's own notices, texts as users' logs show them. */
const NOTICES: ReadonlyMap<number, Notice> = new Map<number, Notice>([
  [1100, { text: `${lost} lost.`, state: { lost: true } }],
  [1101, { text: `${lost} restored - data lost.`, state: { lost: false } }],
  [1102, { text: `${lost} restored - data maintained.`, state: { lost: false } }],
  [2103, { text: 'Market data farm connection is broken:usfarm', state: { marketBroken: true } }],
  [2104, { text: 'Market data farm connection is OK:usfarm', state: { marketBroken: false } }],
  [2105, { text: 'HMDS data farm connection is broken:ushmds', state: { hmds: 'silent' } }],
  [2106, { text: 'HMDS data farm connection is OK:ushmds', state: { hmds: 'ok' } }],
  [
    2107,
    {
      text: 'HMDS data farm connection is inactive but should be available upon demand.ushmds',
      state: { hmds: 'ok' },
    },
  ],
  [
    2108,
    {
      text: 'Market data farm connection is inactive but should be available upon demand.usfarm',
      state: { marketBroken: false },
    },
  ],
  [
    2110,
    {
      text: 'Connectivity between Trader Workstation and server is broken. It will be restored automatically.',
      state: { lost: true },
    },
  ],
  [2119, { text: 'Market data farm is connecting:usfarm', state: {} }],
  [2157, { text: 'Sec-def data farm connection is broken:secdefnj', state: { secdefBroken: true } }],
  [2158, { text: 'Sec-def data farm connection is OK:secdefnj', state: { secdefBroken: false } }],
])

/** The words of a notice: those given, else IBKR's own. */
export function noticeText(code: number, text?: string): string {
  return text ?? NOTICES.get(code)?.text ?? `Notice ${code}`
}

/** Puts into the faults what a notice tells of. An historical farm set to refuse goes on refusing while it is broken. */
export function applyNotice(faults: Faults, code: number): void {
  const { hmds } = faults
  Object.assign(faults, NOTICES.get(code)?.state)
  if (code === 2105 && hmds !== 'ok') faults.hmds = hmds
}

/** The notices with which a connection starts: how the three farms are. */
export function farmNotices({ marketBroken, hmds, secdefBroken }: Faults): readonly number[] {
  return [marketBroken ? 2103 : 2104, hmds === 'ok' ? 2106 : 2105, secdefBroken ? 2157 : 2158]
}

const MAX_DOWN_MS = 86_400_000

/** What an event of each type holds, from JSON; throws FaultError with what was expected. */
const READ: { readonly [T in GatewayEvent['type']]: (rest: Record<string, unknown>) => GatewayEvent } = {
  drop: () => ({ type: 'drop' }),
  stop: () => ({ type: 'stop' }),
  start: () => ({ type: 'start' }),
  logout: () => ({ type: 'logout' }),
  login: () => ({ type: 'login' }),
  restart({ downMs }) {
    if (isNumber(downMs) && downMs >= 0 && downMs <= MAX_DOWN_MS) return { type: 'restart', downMs }
    throw wrong('restart', `downMs, 0 to ${MAX_DOWN_MS} milliseconds`, downMs)
  },
  notice({ code, text }) {
    if (isNumber(code) && Number.isInteger(code) && (text === undefined || typeof text === 'string')) {
      return { type: 'notice', code, ...(text === undefined ? {} : { text }) }
    }
    throw wrong('notice', 'a code and, where wanted, a text', { code, text })
  },
  split({ conId, ratio, atSec }) {
    if (isNumber(conId) && isNumber(ratio) && ratio > 0 && (atSec === undefined || isNumber(atSec))) {
      return { type: 'split', conId, ratio, ...(atSec === undefined ? {} : { atSec }) }
    }
    throw wrong('split', 'a conId, a ratio above 0 and, where it is not now, atSec', { conId, ratio, atSec })
  },
  settlement({ delaySec }) {
    if (delaySec === null || (isNumber(delaySec) && delaySec >= 0)) return { type: 'settlement', delaySec }
    throw wrong('settlement', 'delaySec, 0 or more seconds, or null', delaySec)
  },
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)

const wrong = (type: string, expected: string, given: unknown): FaultError =>
  new FaultError(`An event ${type} needs ${expected}; got ${JSON.stringify(given)}.`)

/** Reads an event from JSON; throws FaultError with what was expected. */
export function readEvent(given: unknown): GatewayEvent {
  const { type, ...rest } = isRecord(given) ? given : { type: undefined }
  if (isType(type)) return READ[type](rest)
  throw new FaultError(`There is no event ${JSON.stringify(type)}; known are ${Object.keys(READ).join(', ')}.`)
}

function isType(type: unknown): type is GatewayEvent['type'] {
  return typeof type === 'string' && Object.hasOwn(READ, type)
}
