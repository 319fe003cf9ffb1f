/** Wall-clock time in IBKR's named zones (`US/Eastern`, `MET`, `GB-Eire`), from the runtime's own time-zone data. */

/** Offsets change on a quarter hour at the finest, so one look-up serves 900 seconds. */
const SLOT_SECONDS = 900
/** Slots remembered per zone; 200,000 quarter hours are over five years of them. */
const MAX_SLOTS = 200_000

export interface Zone {
  readonly id: string
  /** Local time minus UTC at an instant, seconds. Both in epoch seconds. */
  offsetSec(epochSec: number): number
}

const zones = new Map<string, Zone>()

/** The zone of that name, or undefined where the runtime knows none. */
export function findZone(id: string): Zone | undefined {
  const known = zones.get(id)
  if (known) return known
  const format = formatFor(id)
  if (!format) return undefined
  const slots = new Map<number, number>()
  const zone: Zone = {
    id,
    offsetSec(epochSec) {
      const slot = Math.floor(epochSec / SLOT_SECONDS)
      const cached = slots.get(slot)
      if (cached !== undefined) return cached
      if (slots.size >= MAX_SLOTS) slots.clear()
      const offset = localSeconds(format, slot * SLOT_SECONDS) - slot * SLOT_SECONDS
      slots.set(slot, offset)
      return offset
    },
  }
  // Clients may send any text as a zone: only what the runtime knows gets here, a bounded set.
  zones.set(id, zone)
  return zone
}

/** The zone of that name; throws where there is none. For listings, whose zones are all known. */
export function zoneOf(id: string): Zone {
  const zone = findZone(id)
  if (!zone) throw new Error(`Time zone ${JSON.stringify(id)} is unknown to this runtime.`)
  return zone
}

/** The instant at which the zone's clock shows this local time (given as if it were UTC). In a gap or fold, the earlier offset. */
export function fromLocal(zone: Zone, localSec: number): number {
  const guess = localSec - zone.offsetSec(localSec)
  return localSec - zone.offsetSec(guess)
}

function formatFor(id: string): Intl.DateTimeFormat | undefined {
  // An offset such as +01:00 is no IBKR zone name, though Intl takes it.
  if (!/^[A-Za-z]/.test(id)) return undefined
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone: id,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  } catch {
    return undefined
  }
}

function localSeconds(format: Intl.DateTimeFormat, epochSec: number): number {
  const parts: Record<string, number> = {}
  for (const { type, value } of format.formatToParts(epochSec * 1000)) parts[type] = Number(value)
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts
  return Date.UTC(year, month - 1, day, hour, minute, second) / 1000
}
