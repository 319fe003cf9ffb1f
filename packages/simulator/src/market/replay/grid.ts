import { zoneOf } from '../../zone.ts'
import { sessionsBetween } from '../calendar.ts'
import { DAY_SEC } from '../days.ts'
import type { Product } from '../listings/product.ts'
import { isDated, secondsOf } from '../sizes.ts'
import { quoted } from './quoted.ts'
import type { Table } from './table.ts'

/**
 * Throws for the first row that is no start of a bar of this size, naming its line. Days are dates, midnight UTC.
 * Shorter bars start on the grid counted from midnight, in UTC or by the venue's clock, or where a session opens: IBKR's
 * first bar of a session is a stub where that is off the grid (FX at 17:15, an hour of US stocks at 09:30).
 */
export function checkGrid(path: string, { line, timeSec }: Table, barSize: string, product: Product): void {
  const startsBar = isDated(barSize) ? (sec: number) => sec % DAY_SEC === 0 : startsOf(product, secondsOf(barSize))
  const at = timeSec.findIndex((sec) => !startsBar(sec))
  const sec = timeSec[at]
  if (sec === undefined) return
  const time = quoted(new Date(sec * 1000).toISOString().slice(0, 19).replace('T', ' '))
  const expected = isDated(barSize) ? 'a date alone' : `a start of such a bar, counted from midnight`
  throw new Error(
    `${path}, line ${line[at]}: the time ${time} UTC is off the grid of ${barSize}, the size of most rows; expected ${expected}.`,
  )
}

function startsOf({ venue, listing }: Product, sizeSec: number): (sec: number) => boolean {
  const zone = zoneOf(listing.timeZoneId)
  const opens = (sec: number, useRTH: boolean) =>
    sessionsBetween(venue, useRTH, sec, sec + 1).some(({ startSec }) => startSec === sec)
  return (sec) =>
    sec % sizeSec === 0 || (sec + zone.offsetSec(sec)) % sizeSec === 0 || opens(sec, false) || opens(sec, true)
}
