import {
  type BarSpec,
  barSize,
  isDated,
  parseInstant,
  parseSpec,
  type SecType,
  type Window,
  whatToShow,
} from '@tidegate/core'
import type { PriceKind, TruthQuery } from '@tidegate/simulator'
import type { Dice } from './dice.ts'

const DAY_SEC = 86_400

interface Listed {
  readonly secType: SecType
  /** What finds it in the simulator's market. */
  readonly contract: TruthQuery['contract']
  readonly prices: readonly string[]
  /** Of what may split. */
  readonly conId?: number
}

/** What may be wanted, by instrument id. */
export const LISTED: Readonly<Record<string, Listed>> = {
  'AAPL.NASDAQ': stock('AAPL', 'NASDAQ', 265598),
  'MSFT.NASDAQ': stock('MSFT', 'NASDAQ', 272093),
  'SPY.ARCA': stock('SPY', 'ARCA', 756733),
  'META.NASDAQ': stock('META', 'NASDAQ', 107113386),
  'EUR/USD.IDEALPRO': {
    secType: 'CASH',
    contract: { symbol: 'EUR', secType: 'CASH', currency: 'USD' },
    prices: ['MID', 'BID', 'ASK', 'BID_ASK'],
  },
  'ESM6.CME': {
    secType: 'FUT',
    contract: { localSymbol: 'ESM6', secType: 'FUT' },
    prices: ['LAST', 'MID', 'BID', 'ASK', 'BID_ASK'],
  },
  'ES.CME': { secType: 'CONTFUT', contract: { symbol: 'ES', secType: 'CONTFUT' }, prices: ['LAST', 'MID', 'BID'] },
  '^SPX.CBOE': { secType: 'IND', contract: { symbol: 'SPX', secType: 'IND' }, prices: ['LAST'] },
}

function stock(symbol: string, primaryExchange: string, conId: number): Listed {
  return {
    conId,
    secType: 'STK',
    contract: { symbol, secType: 'STK', primaryExchange },
    prices: ['LAST', 'ADJUSTED_LAST', 'MID', 'BID', 'ASK', 'BID_ASK'],
  }
}

/** Sizes, and how many days of each are wanted at most: a few thousand bars. */
const SIZES: Readonly<Record<string, number>> = {
  '5-SECOND': 1,
  '30-SECOND': 3,
  '1-MINUTE': 4,
  '5-MINUTE': 12,
  '15-MINUTE': 25,
  '30-MINUTE': 30,
  '1-HOUR': 40,
  '4-HOUR': 60,
  '1-DAY': 200,
  '1-WEEK': 300,
}

/** What is few enough to be wanted from the first there is: what began lately, or some decades ago, in bars this long. */
const FROM_HEAD = { instruments: ['META.NASDAQ', 'ESM6.CME'], sizes: ['1-DAY', '1-WEEK'] }
/** Bars that a dataset has at most, so that a run takes seconds; more where one series alone has more. */
const MOST_BARS = 25_000

const SCHEDULES = [
  { every: '5m' },
  { every: '15m', during: 'session' },
  { every: '1h' },
  { afterClose: '20m' },
  { cron: '*/10 * * * *', zone: 'America/New_York' },
  { cron: '30 17 * * 1-5', zone: 'America/Chicago' },
] as const

/** Where time begins: any minute of three months that hold both changes to daylight saving, and Easter. */
export function beginning(dice: Dice): number {
  return parseInstant('2026-02-20') + dice.whole(0, 75 * 1440) * 60 + dice.whole(0, 59)
}

export interface Declared {
  readonly name: string
  readonly instruments: readonly string[]
  readonly specs: readonly string[]
  readonly since: string
  readonly hours: 'regular' | 'all'
  readonly schedule: (typeof SCHEDULES)[number]
}

/** A dataset as anybody might declare it. */
export function randomDataset(name: string, nowSec: number, dice: Dice): Declared {
  const isFromHead = dice.chance(0.15)
  const chosen = isFromHead ? dice.some(FROM_HEAD.instruments, 1, 1) : dice.some(Object.keys(LISTED), 1, 3)
  const common = chosen.map(pricesOf).reduce((left, right) => left.filter((price) => right.includes(price)))
  // A price that one of them has not is refused: then it is the first alone.
  const instruments = common.length > 0 ? chosen : chosen.slice(0, 1)
  const prices = dice.some(common.length > 0 ? common : pricesOf(chosen[0] ?? ''), 1, 2)
  const sizes = dice.some(isFromHead ? FROM_HEAD.sizes : Object.keys(SIZES), 1, 2)
  const days = Math.min(...sizes.map((size) => SIZES[size] ?? 1))
  const back = dice.whole(1, days)
  const specs = [...new Set(sizes.flatMap((size) => prices.map((price) => `${size}-${price}`)))]
  const each = sizes.reduce((most, size) => Math.max(most, barsADay(size) * (back + 1)), 1)
  while (instruments.length * specs.length * each > MOST_BARS && instruments.length > 1) instruments.pop()
  while (specs.length * each > MOST_BARS && specs.length > 1) specs.pop()
  const start = new Date((nowSec - back * DAY_SEC) * 1000).toISOString()
  return {
    name,
    instruments,
    specs,
    since: isFromHead
      ? 'head'
      : dice.chance(0.3)
        ? `${back}d`
        : dice.chance(0.5)
          ? start.slice(0, 10)
          : `${start.slice(0, 16)}Z`,
    hours: dice.pick(['regular', 'all'] as const),
    schedule: dice.pick(SCHEDULES),
  }
}

function barsADay(size: string): number {
  return DAY_SEC / barSize(parseSpec(`${size}-LAST`)).sec
}

function pricesOf(id: string): readonly string[] {
  return LISTED[id]?.prices ?? []
}

/** What must be covered of a series once all has settled: bars that begin in here have long been final. */
export function surelyWanted(spec: BarSpec, sinceSec: number, nowSec: number): Window {
  const { sec } = barSize(spec)
  const late = isDated(spec) ? 4 * DAY_SEC : 3600
  return { start: sinceSec + sec, end: nowSec - sec - late }
}

/** What the market had of a series. */
export function truthQuery(instrument: string, text: string, hours: string, window: Window): TruthQuery {
  const listed = LISTED[instrument]
  if (!listed) throw new Error(`${instrument} is not among what chaos wants.`)
  const spec = parseSpec(text)
  return {
    contract: listed.contract,
    barSize: barSize(spec).text,
    whatToShow: whatToShow(spec.price, listed.secType) as PriceKind,
    useRTH: hours === 'regular',
    startSec: window.start,
    endSec: window.end,
  }
}
