import { zoneIdOf } from '../calendar.ts'
import { DAY_SEC, dateText } from '../days.ts'
import { fits } from '../find.ts'
import { levelAt } from '../level.ts'
import { BLANK, NO_OFF_HOURS, type Product } from '../listings/product.ts'
import { hashText } from '../noise.ts'
import { ruleIdOf } from '../rules.ts'
import type { ContractQuery, Listing, OptionChain } from '../types.ts'
import { type Expiry, expiriesAt, expiryOf } from './expiries.ts'
import { decode, encode } from './ids.ts'
import { localSymbolOf } from './names.ts'
import { worth } from './price.ts'
import { OPTION_ROOTS, type OptionRoot } from './roots.ts'

/** The options of a market: made when asked for, as there are thousands at any time and other ones in a week. */
export interface OptionBook {
  /** Those that trade at `nowSec` (epoch seconds) and fit. */
  find(query: ContractQuery, nowSec: number): readonly Listing[]
  /** The product of an option, by its id, whether it trades or has expired; undefined for what is none. */
  product(conId: number): Product | undefined
  /** What an underlying has of options at an instant. */
  chains(underlying: Listing, nowSec: number): readonly OptionChain[]
}

const RIGHTS = ['C', 'P'] as const
/** How often an underlying's price decides on strikes, days. */
const REVIEW_DAYS = 7

export function createOptionBook(products: readonly Product[], seed: string): OptionBook {
  const underlyings = OPTION_ROOTS.map((root) => underlyingsOf(root, products))

  /** What options of that expiry are on: of futures, the first that does not end before. */
  function underlyingOf(root: number, expiry: Expiry): Product | undefined {
    return underlyings[root]?.find(
      ({ listing }) => listing.endSec === undefined || listing.endSec > expiry.day * DAY_SEC,
    )
  }

  function strikesOf(root: OptionRoot, expiry: Expiry, underlying: Product): number[] {
    const prices: number[] = []
    for (let day = expiry.listed; day <= expiry.day; day += REVIEW_DAYS) {
      prices.push(priceAt(seed, underlying, day * DAY_SEC))
    }
    const from = Math.ceil((Math.min(...prices) * (1 - root.reach)) / root.step)
    const to = Math.floor((Math.max(...prices) * (1 + root.reach)) / root.step)
    return Array.from({ length: to - from + 1 }, (_, i) => (from + i) * root.step)
  }

  function make(index: number, expiry: Expiry, strike: number, right: string): Product | undefined {
    const root = OPTION_ROOTS[index]
    const underlying = root && underlyingOf(index, expiry)
    return underlying && optionOf({ index, root, expiry, strike, right, underlying, seed })
  }

  function product(conId: number): Product | undefined {
    const { index, week, strikeIndex, right } = decode(conId) ?? {}
    const root = index === undefined ? undefined : OPTION_ROOTS[index]
    if (!root || index === undefined || week === undefined || strikeIndex === undefined || !right) return undefined
    const expiry = expiryOf(root, week)
    return expiry && make(index, expiry, strikeIndex * root.step, right)
  }

  return {
    find(query, nowSec) {
      if (query.conId !== 0) {
        const option = product(query.conId)?.listing
        return option && isTradedAt(option, nowSec) && fits(query, option) ? [option] : []
      }
      if (query.secType !== 'OPT' && query.secType !== 'FOP') return []
      return OPTION_ROOTS.flatMap((root, index) => {
        if (!isAsked(root, query)) return []
        return expiriesAt(root, nowSec).flatMap((expiry) => {
          const underlying = isDateAsked(expiry, query) ? underlyingOf(index, expiry) : undefined
          if (!underlying) return []
          const strikes = strikesOf(root, expiry, underlying).filter(
            (one) => query.strike === 0 || query.strike === one,
          )
          return strikes
            .flatMap((strike) => RIGHTS.map((right) => make(index, expiry, strike, right)?.listing ?? BLANK))
            .filter((option) => fits(query, option))
        })
      })
    },
    product,
    chains(underlying, nowSec) {
      return OPTION_ROOTS.flatMap((root, index) => {
        const own = expiriesAt(root, nowSec).filter(
          (expiry) => underlyingOf(index, expiry)?.listing.conId === underlying.conId,
        )
        const on = underlyings[index]?.find(({ listing }) => listing.conId === underlying.conId)
        if (!on) return []
        return [...Map.groupBy(own, ({ tradingClass }) => tradingClass)].flatMap(([tradingClass, expiries]) => {
          const strikes = new Set(expiries.flatMap((expiry) => strikesOf(root, expiry, on)))
          const chain = {
            underConId: underlying.conId,
            tradingClass,
            multiplier: root.multiplier,
            expirations: expiries.map(({ day }) => dateText(day)),
            strikes: [...strikes].toSorted((a, b) => a - b),
          }
          return root.exchanges.map((exchange) => ({ ...chain, exchange }))
        })
      })
    },
  }
}

const isTradedAt = ({ headSec, endSec = 0 }: Listing, nowSec: number): boolean => headSec <= nowSec && endSec > nowSec

/** What a root's options may be on, in order of their last trade. */
function underlyingsOf({ symbol, underSecType }: OptionRoot, products: readonly Product[]): Product[] {
  return products
    .filter(({ listing }) => listing.symbol === symbol && listing.secType === underSecType)
    .toSorted((a, b) => (a.listing.endSec ?? 0) - (b.listing.endSec ?? 0))
}

function isAsked(root: OptionRoot, { symbol, secType, localSymbol, tradingClass }: ContractQuery): boolean {
  if (secType !== root.secType) return false
  if (symbol !== '') return symbol === root.symbol
  return localSymbol !== '' || tradingClass !== ''
}

function isDateAsked({ day }: Expiry, { lastTradeDateOrContractMonth: asked }: ContractQuery): boolean {
  return dateText(day).startsWith(asked)
}

/** The price of an underlying as its level has it at an instant. */
function priceAt(seed: string, { path, price, swing }: Product, atSec: number): number {
  return price * levelAt(hashText(`${seed} ${path}`), swing, atSec)
}

interface OptionOf {
  readonly index: number
  readonly root: OptionRoot
  readonly expiry: Expiry
  readonly strike: number
  readonly right: string
  readonly underlying: Product
  readonly seed: string
}

function optionOf({ index, root, expiry, strike, right, underlying, seed }: OptionOf): Product {
  const { listing: under } = underlying
  const { day, endSec, tradingClass, week } = expiry
  const marketRuleId = ruleIdOf(root.tick)
  const localSymbol = localSymbolOf(root.secType, tradingClass, day, right, strike)
  const listing: Listing = {
    ...BLANK,
    conId: encode(index, week, Math.round(strike / root.step), right),
    symbol: root.symbol,
    secType: root.secType,
    lastTradeDate: dateText(day),
    contractMonth: dateText(day).slice(0, 6),
    strike,
    right,
    multiplier: root.multiplier,
    validExchanges: root.exchanges,
    localSymbol,
    tradingClass,
    marketName: tradingClass,
    longName: under.longName,
    industry: under.industry,
    minTick: root.tick,
    ...(marketRuleId === undefined ? {} : { marketRuleId }),
    underConId: under.conId,
    underSymbol: under.secType === 'FUT' ? under.localSymbol : under.symbol,
    underSecType: under.secType,
    timeZoneId: zoneIdOf(root.venue),
    headSec: expiry.listed * DAY_SEC,
    endSec,
  }
  return {
    listing,
    venue: root.venue,
    path: localSymbol,
    // The level is the worth itself, of a price of 1.
    price: 1,
    level: (atSec) => worth(right, strike, priceAt(seed, underlying, atSec), root.volatility, endSec - atSec),
    swing: 3,
    volume: 25,
    quiet: 0.6,
    offHours: root.secType === 'FOP' ? { quiet: 0.97, volume: 0.3 } : NO_OFF_HOURS,
    halfSpread: 2,
  }
}
