import type { ContractDetails } from './contract.ts'
import type { Hours } from './spec.ts'
import { zonedSec } from './wall.ts'
import type { Window } from './window.ts'

/** `20260402:0930-20260402:1600`; gateways before 970 leave out the second date. */
const SPAN = /^(\d{4})(\d\d)(\d\d):(\d\d)(\d\d)-(?:(\d{4})(\d\d)(\d\d):)?(\d\d)(\d\d)$/

/**
 * The sessions that IBKR lists beside a contract, `[opens, closes)`: today's and those of some days to come, half days as
 * they are. None where it lists none, or names a zone that is unknown; what can't be read is left out.
 */
export function openingsOf(
  details: Pick<ContractDetails, 'tradingHours' | 'liquidHours' | 'timeZoneId'>,
  hours: Hours,
): Window[] {
  const listed = hours === 'regular' ? details.liquidHours : details.tradingHours
  return listed.split(';').flatMap((day) => {
    const date = day.slice(0, day.indexOf(':') + 1)
    return day.split(',').flatMap((span, i) => spanOf(i === 0 ? span : date + span, details.timeZoneId))
  })
}

function spanOf(text: string, zone: string): Window[] {
  const match = SPAN.exec(text.trim())
  if (!match) return []
  const [, year, month, day, hour, minute, endYear = year, endMonth = month, endDay = day, endHour, endMinute] = match
  try {
    const start = zonedSec(`${year}-${month}-${day}T${hour}:${minute}`, zone)
    // Midnight as the end of a day.
    const whole = endHour === '24'
    const end = zonedSec(`${endYear}-${endMonth}-${endDay}T${whole ? '23:59' : `${endHour}:${endMinute}`}`, zone)
    const window = { start, end: whole ? end + 60 : end }
    return window.start < window.end ? [window] : []
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return []
  }
}
