const STAMP = /^(\d{4})-(\d{2})-(\d{2})(?:[ T](\d{2}):(\d{2})(?::(\d{2})(?:\.0+)?)?)?(Z|[+-]\d{2}:?\d{2})?$/
const EPOCH = /^\d{9,10}(?:\d{3})?$/

/** What `parseStamp` reads, for a person to see. */
export const STAMP_FORMATS = '2012-02-01 00:01:00, 2012-02-01T00:01:00Z, 2012-02-01 00:01:00+00:00 or epoch seconds'

/**
 * Epoch seconds of a time as files write it; without a zone it is UTC. A date alone is its midnight; thirteen digits
 * are milliseconds. Undefined for anything else, a date that is none, and parts of a second.
 */
export function parseStamp(text: string): number | undefined {
  if (EPOCH.test(text)) return wholeSeconds(text.length > 10 ? Number(text) : Number(text) * 1000)
  const match = STAMP.exec(text)
  if (!match) return undefined
  const [, year = '', month = '', day = '', hour = '00', minute = '00', second = '00', zone = 'Z'] = match
  const local = `${year}-${month}-${day}T${hour}:${minute}:${second}`
  const localMs = Date.parse(`${local}Z`)
  // A date such as 30 February would roll over to March.
  if (Number.isNaN(localMs) || !new Date(localMs).toISOString().startsWith(local)) return undefined
  const offset = zoneSeconds(zone)
  return offset === undefined ? undefined : localMs / 1000 - offset
}

function zoneSeconds(zone: string): number | undefined {
  if (zone === 'Z') return 0
  const hours = Number(zone.slice(1, 3))
  const minutes = Number(zone.slice(-2))
  if (hours > 14 || minutes > 59) return undefined
  return (zone.startsWith('-') ? -1 : 1) * (hours * 3600 + minutes * 60)
}

function wholeSeconds(ms: number): number | undefined {
  return ms % 1000 === 0 ? ms / 1000 : undefined
}
