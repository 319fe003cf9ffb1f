import { type BarColumns, type ContractDetails, sliceBars, TidegateError } from '@tidegate/core'
import type { BarsAnswer, BarsRequest, BridgeStatus, Relay } from '@tidegate/relay'
import { barsIn, type Market, type Session, sessionsIn } from './market.ts'

const DAY_SEC = 86_400
const SIZES: Readonly<Record<string, number>> = {
  '5 secs': 5,
  '1 min': 60,
  '5 mins': 300,
  '30 mins': 1800,
  '1 hour': 3600,
  '4 hours': 14_400,
  '1 day': DAY_SEC,
}

export interface FakeRelay extends Relay {
  readonly asked: BarsRequest[]
  market: Market
  simulated: boolean
  /** Bars younger than this are not yet in history, seconds. */
  lagSec: number
  /** Changes or refuses an answer; throws what the bridge would. */
  tamper: (request: BarsRequest, answer: BarsAnswer) => BarsAnswer
}

/** A bridge over a market by rule, which counts durations as IBKR does. `now` is epoch milliseconds. */
export function createFakeRelay(market: Market, now: () => number, details: readonly ContractDetails[]): FakeRelay {
  const relay: FakeRelay = {
    asked: [],
    market,
    simulated: false,
    lagSec: 0,
    tamper: (_, answer) => answer,
    async contracts({ contract }) {
      const name = contract.localSymbol ?? contract.symbol
      const found = details.filter((one) => one.contract.symbol === name && one.contract.secType === contract.secType)
      if (found.length === 0) throw new TidegateError('not-found', 'No security definition', { code: 200 })
      return found
    },
    async bars(request) {
      relay.asked.push(request)
      return relay.tamper(request, answerOf(relay, request, Math.floor(now() / 1000)))
    },
    search: notAsked,
    chains: notAsked,
    ticks: notAsked,
    head: notAsked,
    // As of what IBKR has no schedule.
    async sessions() {
      throw new TidegateError('not-found', 'No schedule', { code: 162 })
    },
    async status() {
      return statusOf(relay.simulated)
    },
  }
  return relay
}

/** What ingestion of bars has no use for. */
async function notAsked(): Promise<never> {
  throw new Error('This bridge answers contracts, bars and its status alone.')
}

function answerOf({ market, lagSec, simulated }: FakeRelay, request: BarsRequest, nowSec: number): BarsAnswer {
  const sizeSec = SIZES[request.barSize]
  if (sizeSec === undefined) throw new Error(`This market has no bars of ${request.barSize}.`)
  const end = Math.min(request.end ?? nowSec, nowSec)
  const start = startOf(market, request.duration, end)
  // A daily bar is booked under its date, and is in the answer when its session is.
  const wanted = sizeSec === DAY_SEC ? { start: start - DAY_SEC, end } : { start, end }
  const bars = behind(barsIn(market, sizeSec, wanted, end), lagSec === 0 ? end : nowSec - lagSec - sizeSec)
  const done = { bars: bars.t.length, empty: bars.t.length === 0, asOf: nowSec, simulated, notices: [] }
  return { bars, done }
}

/** The bars that start by then: what is younger has not reached history yet. */
function behind(bars: BarColumns, lastSec: number): BarColumns {
  const found = bars.t.findIndex((t) => t > lastSec)
  return found < 0 ? bars : sliceBars(bars, 0, found)
}

/** D counts sessions back from the one that holds the end or began last before it, S seconds of trading, the rest is calendar. */
function startOf(market: Market, duration: string, end: number): number {
  const [text, unit] = duration.split(' ')
  const count = Number(text)
  if (unit === 'W') return end - count * 7 * DAY_SEC
  if (unit === 'M') return end - count * 30 * DAY_SEC
  if (unit === 'Y') return end - count * 365 * DAY_SEC
  const days = unit === 'D' ? count * 2 + 20 : 20
  const sessions = sessionsIn(market, { start: end - days * DAY_SEC, end })
  return unit === 'D' ? (sessions.slice(-count)[0]?.start ?? end) : walkBack(sessions, count, end)
}

function walkBack(sessions: readonly Session[], seconds: number, end: number): number {
  let left = seconds
  for (const session of sessions.toReversed()) {
    const traded = Math.min(session.end, end) - session.start
    if (traded >= left) return Math.min(session.end, end) - left
    left -= traded
  }
  return sessions[0]?.start ?? end
}

function statusOf(simulated: boolean): BridgeStatus {
  return {
    gateway: {
      host: '127.0.0.1',
      port: 4002,
      state: 'ready',
      phase: 'ready',
      accounts: ['DU*****12'],
      mode: 'paper',
      simulated,
      farms: [],
    },
    pacing: {
      ...{ open: 0, maxOpen: 32, queued: 0, queuedBy: { interactive: 0, scheduled: 0, backfill: 0 } },
      ...{ messagesInLastSecond: 0, maxMessagesPerSecond: 45, left: { messages: 45, small: 60, open: 32 } },
      heldMs: { messages: 0, small: 0 },
    },
  }
}
