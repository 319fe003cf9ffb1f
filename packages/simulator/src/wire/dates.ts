import { findZone, fromLocal, type Zone } from '../zone.ts'

const DAY_SECONDS = 86_400

const pad = (value: number, width = 2): string => String(value).padStart(width, '0')

/** `yyyymmdd` of an instant or of a local time, both in seconds read as UTC. */
export function ymd(sec: number): string {
  const date = new Date(sec * 1000)
  return `${pad(date.getUTCFullYear(), 4)}${pad(date.getUTCMonth() + 1)}${pad(date.getUTCDate())}`
}

/** `hh:mm:ss` of the same. */
export function hms(sec: number): string {
  const ofDay = ((Math.floor(sec) % DAY_SECONDS) + DAY_SECONDS) % DAY_SECONDS
  return `${pad(Math.floor(ofDay / 3600))}:${pad(Math.floor(ofDay / 60) % 60)}:${pad(ofDay % 60)}`
}

/** `yyyymmdd` in the zone. */
export function localDate(epochSec: number, zone: Zone): string {
  return ymd(epochSec + zone.offsetSec(epochSec))
}

/** `20260402 09:30:00 US/Eastern`: how gateways print an intraday bar's date, formatDate 1. */
export function zonedStamp(epochSec: number, zone: Zone): string {
  const local = epochSec + zone.offsetSec(epochSec)
  return `${ymd(local)} ${hms(local)} ${zone.id}`
}

/** `20260402-09:30:00` in the zone: how a schedule prints its sessions. */
export function dashedStamp(epochSec: number, zone: Zone): string {
  const local = epochSec + zone.offsetSec(epochSec)
  return `${ymd(local)}-${hms(local)}`
}

/** `19801212-14:30:00` UTC: how a head timestamp is printed. */
export function utcStamp(epochSec: number): string {
  return `${ymd(epochSec)}-${hms(epochSec)}`
}

/** 00:00 UTC of a `yyyymmdd`, epoch seconds; undefined for a date the calendar does not have. */
export function dateSec(text: string): number | undefined {
  if (!/^\d{8}$/.test(text)) return undefined
  const sec = Date.UTC(Number(text.slice(0, 4)), Number(text.slice(4, 6)) - 1, Number(text.slice(6))) / 1000
  return ymd(sec) === text ? sec : undefined
}

/**
 * An endDateTime as clients send it: `yyyymmdd-hh:mm:ss` in UTC, `yyyymmdd hh:mm:ss Zone`, or without a
 * zone, which is read in the listing's. Epoch seconds; undefined where TWS answers 10314.
 */
export function parseEnd(text: string, listingZone: Zone): number | undefined {
  const match = /^(\d{8})(-| +)(\d{1,2}):(\d{2}):(\d{2})(?: +(\S+))?$/.exec(text.trim())
  if (!match) return undefined
  const [, date = '', gap, hour, minute, second, zoneId] = match
  const day = dateSec(date)
  if (day === undefined || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined
  const clock = day + Number(hour) * 3600 + Number(minute) * 60 + Number(second)
  if (gap === '-') return zoneId === undefined ? clock : undefined
  const zone = zoneId === undefined ? listingZone : findZone(zoneId)
  return zone && fromLocal(zone, clock)
}
