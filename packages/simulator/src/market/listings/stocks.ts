import { type VenueName, zoneIdOf } from '../calendar.ts'
import type { Listing } from '../types.ts'
import { BLANK, idOf, instant, NO_OFF_HOURS, type Product } from './product.ts'

// biome-ignore format: a table
const STOCKS: readonly [symbol: string, exchange: string, name: string, kind: 'COMMON' | 'ETF', price: number, head: string, conId?: number, isin?: string][] = [
  ['AAPL', 'NASDAQ', 'APPLE INC', 'COMMON', 220, '1980-12-12', 265598, 'US0378331005'],
  ['MSFT', 'NASDAQ', 'MICROSOFT CORP', 'COMMON', 410, '1986-03-13', 272093, 'US5949181045'],
  ['NVDA', 'NASDAQ', 'NVIDIA CORP', 'COMMON', 130, '1999-01-22', 4815747, 'US67066G1040'],
  ['AMZN', 'NASDAQ', 'AMAZON.COM INC', 'COMMON', 190, '1997-05-15', 3691937, 'US0231351067'],
  ['GOOGL', 'NASDAQ', 'ALPHABET INC-CL A', 'COMMON', 170, '2004-08-19', 208813719, 'US02079K3059'],
  ['TSLA', 'NASDAQ', 'TESLA INC', 'COMMON', 250, '2010-06-29', 76792991, 'US88160R1014'],
  ['META', 'NASDAQ', 'META PLATFORMS INC-CLASS A', 'COMMON', 560, '2012-05-18', 107113386],
  ['GOOG', 'NASDAQ', 'ALPHABET INC-CL C', 'COMMON', 172, '2014-04-03', 208813720],
  ['AMD', 'NASDAQ', 'ADVANCED MICRO DEVICES', 'COMMON', 150, '1980-03-17', 4391],
  ['NFLX', 'NASDAQ', 'NETFLIX INC', 'COMMON', 700, '2002-05-23', 15124833],
  ['INTC', 'NASDAQ', 'INTEL CORP', 'COMMON', 30, '1980-03-17', 270639],
  ['CSCO', 'NASDAQ', 'CISCO SYSTEMS INC', 'COMMON', 55, '1990-02-16', 268084],
  ['QQQ', 'NASDAQ', 'INVESCO QQQ TRUST SERIES 1', 'ETF', 480, '1999-03-10', 320227571],
  ['IBM', 'NYSE', 'INTL BUSINESS MACHINES CORP', 'COMMON', 200, '1980-03-17', 8314, 'US4592001014'],
  ['KO', 'NYSE', 'COCA-COLA CO/THE', 'COMMON', 62, '1980-03-17', 8894],
  ['GE', 'NYSE', 'GENERAL ELECTRIC', 'COMMON', 170, '1980-03-17', 498843743],
  ['JPM', 'NYSE', 'JPMORGAN CHASE & CO', 'COMMON', 210, '1980-03-17', 1520593],
  ['BRK B', 'NYSE', 'BERKSHIRE HATHAWAY INC-CL B', 'COMMON', 450, '1996-05-09', 72063691],
  ['DIS', 'NYSE', 'WALT DISNEY CO/THE', 'COMMON', 100, '1980-03-17', 6459],
  ['XOM', 'NYSE', 'EXXON MOBIL CORP', 'COMMON', 115, '1980-03-17', 13977],
  ['V', 'NYSE', 'VISA INC-CLASS A SHARES', 'COMMON', 280, '2008-03-19', 49462172],
  ['BF B', 'NYSE', 'BROWN-FORMAN CORP-CLASS B', 'COMMON', 45, '1980-03-17', 4721],
  ['SPY', 'ARCA', 'SS SPDR S&P 500 ETF TRUST-US', 'ETF', 570, '1993-01-29', 756733, 'US78462F1030'],
  ['GLD', 'ARCA', 'SPDR GOLD SHARES', 'ETF', 240, '2004-11-18', 51529211],
  ['IWM', 'ARCA', 'ISHARES RUSSELL 2000 ETF', 'ETF', 220, '2000-05-26', 9579970],
  ['VOD', 'NASDAQ', 'VODAFONE GROUP PLC-SP ADR', 'COMMON', 9, '1988-10-26'],
]

/** Seldom traded, so that minutes without a bar are met in regular hours too. */
const THIN = new Set(['BF B', 'VOD'])

// biome-ignore format: a table
const ABROAD: readonly [symbol: string, exchange: string, name: string, currency: string, venue: VenueName, price: number, tick: number, head: string][] = [
  ['VOD', 'LSE', 'VODAFONE GROUP PLC', 'GBP', 'london', 72, 0.01, '2000-01-04'],
  ['SAP', 'IBIS', 'SAP SE', 'EUR', 'xetra', 200, 0.02, '2000-01-03'],
  ['BMW', 'IBIS', 'BAYERISCHE MOTOREN WERKE AG', 'EUR', 'xetra', 80, 0.02, '2000-01-03'],
  ['7203', 'TSEJ', 'TOYOTA MOTOR CORP', 'JPY', 'tokyo', 2600, 0.5, '2004-01-05'],
]

/** US stocks and funds, which route through SMART, and stocks of other countries. */
export function stocks(): Product[] {
  return [...STOCKS.map(usStock), ...ABROAD.map(stockAbroad)]
}

function usStock([symbol, exchange, longName, stockType, price, head, conId, isin]: (typeof STOCKS)[number]): Product {
  const nasdaq = exchange === 'NASDAQ'
  const listing: Listing = {
    ...BLANK,
    conId: conId ?? idOf(`${symbol} ${exchange}`),
    symbol,
    localSymbol: symbol,
    tradingClass: nasdaq ? 'NMS' : symbol,
    marketName: nasdaq ? 'NMS' : symbol,
    longName,
    stockType,
    primaryExchange: exchange,
    headSec: instant(head, '14:30'),
    validExchanges: ['SMART', exchange, ...(nasdaq ? ['ISLAND'] : []), 'AMEX', 'CBOE', 'BATS', 'IEX', 'MEMX'],
    minSize: 0.0001,
    sizeIncrement: 0.0001,
    secIds: isin ? [['ISIN', isin]] : [],
    industry: stockType === 'ETF' ? '' : 'Industrial',
  }
  const thin = THIN.has(symbol)
  return {
    listing,
    venue: 'us',
    path: `${symbol} ${exchange}`,
    price,
    swing: 1,
    volume: thin ? 600 : 40_000,
    quiet: thin ? 0.12 : 0,
    offHours: { quiet: thin ? 0.85 : 0.35, volume: 0.02 },
    halfSpread: 2,
    halts: stockType === 'COMMON',
  }
}

function stockAbroad([
  symbol,
  exchange,
  longName,
  currency,
  venue,
  price,
  minTick,
  head,
]: (typeof ABROAD)[number]): Product {
  const listing: Listing = {
    ...BLANK,
    conId: idOf(`${symbol} ${exchange}`),
    symbol,
    localSymbol: symbol,
    tradingClass: symbol,
    marketName: symbol,
    longName,
    currency,
    stockType: 'COMMON',
    primaryExchange: exchange,
    validExchanges: ['SMART', exchange],
    minTick,
    headSec: instant(head, '00:00'),
    timeZoneId: zoneIdOf(venue),
  }
  const motion = { price, swing: 1, volume: 8000, quiet: 0.03, offHours: NO_OFF_HOURS, halfSpread: 2 }
  return { listing, venue, path: `${symbol} ${exchange}`, ...motion }
}
