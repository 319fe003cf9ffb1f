import { zoneIdOf } from '../calendar.ts'
import { DAY_SEC, dateText } from '../days.ts'
import type { Listing } from '../types.ts'
import { BLANK, idOf, instant, type Product } from './product.ts'
import { ROOTS, type Root } from './roots.ts'

const MONTH_CODES = 'FGHJKMNQUVXZ'
const FIRST_YEAR = 2000
const LAST_YEAR = 2045
/** How long before its expiry a future has history. */
const FUTURE_DAYS = 730
/** Trading ends at 14:30 UTC of the last day: 08:30 in Chicago in winter. */
const LAST_TRADE_SEC = 14.5 * 3600
/** What a later month costs more, a year. */
const CARRY = 0.02

/** Every dated future of every root, and each root's continuous one. */
export function futures(): Product[] {
  return ROOTS.flatMap((root) => [...datedOf(root), continuous(root)])
}

function datedOf(root: Root): Product[] {
  const dated: Product[] = []
  for (let year = FIRST_YEAR; year <= LAST_YEAR; year++) {
    for (const month of root.months) dated.push(future(root, year, month))
  }
  return dated
}

function future(root: Root, year: number, month: number): Product {
  const { tradingClass, exchange } = root
  const last = root.lastDay(year, month)
  const contractMonth = `${year}${String(month).padStart(2, '0')}`
  const code = `${tradingClass}${MONTH_CODES[month - 1]}${year % 10}`
  const listing: Listing = {
    ...common(root),
    conId: idOf(`${tradingClass} ${contractMonth}`),
    secType: 'FUT',
    localSymbol: exchange === 'EUREX' ? `${tradingClass} ${dateText(last)} M` : code,
    lastTradeDate: dateText(last),
    contractMonth,
    headSec: (last - FUTURE_DAYS) * DAY_SEC,
    endSec: last * DAY_SEC + LAST_TRADE_SEC,
  }
  return { ...motion(root), listing, price: root.price * (1 + (CARRY * month) / 12) }
}

function continuous(root: Root): Product {
  const listing: Listing = {
    ...common(root),
    conId: idOf(`${root.tradingClass} CONTFUT`),
    secType: 'CONTFUT',
    localSymbol: root.tradingClass,
    headSec: instant('2000-01-03', '14:30'),
  }
  return { ...motion(root), listing, price: root.price }
}

function common({ symbol, tradingClass, exchange, name, venue, multiplier, tick, currency }: Root): Listing {
  return {
    ...BLANK,
    symbol,
    currency,
    tradingClass,
    marketName: tradingClass,
    longName: name,
    multiplier,
    minTick: tick,
    validExchanges: [exchange],
    timeZoneId: zoneIdOf(venue),
    underConId: idOf(`${symbol} IND`),
    underSymbol: symbol,
    underSecType: 'IND',
  }
}

function motion({ venue, exchange, tradingClass, swing }: Root): Omit<Product, 'listing' | 'price'> {
  const path = `${tradingClass} ${exchange}`
  return { venue, path, swing, volume: 900, quiet: 0, offHours: { quiet: 0.06, volume: 0.15 }, halfSpread: 1 }
}
