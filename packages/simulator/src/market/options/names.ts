import { type Day, dateText } from '../days.ts'

const MONTH_CODES = 'FGHJKMNQUVXZ'

/**
 * An option's local symbol: of stocks and indices the OCC's 21 characters (`AAPL  261218C00220000`), of futures class,
 * month, year, right and strike (`EW2Z6 C5655`).
 */
export function localSymbolOf(
  secType: 'OPT' | 'FOP',
  tradingClass: string,
  day: Day,
  right: string,
  strike: number,
): string {
  const date = dateText(day)
  if (secType === 'FOP') {
    return `${tradingClass}${MONTH_CODES[Number(date.slice(4, 6)) - 1]}${date[3]} ${right}${strike}`
  }
  const thousandths = String(Math.round(strike * 1000)).padStart(8, '0')
  return `${tradingClass.padEnd(6)}${date.slice(2)}${right}${thousandths}`
}
