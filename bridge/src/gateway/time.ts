import { zonedSec } from '@tidegate/core'

/** `yyyymmdd-hh:mm:ss`, which IBKR reads as UTC; '' for undefined, which it reads as now. */
export function utcText(sec: number | undefined): string {
  if (sec === undefined) return ''
  const iso = new Date(sec * 1000).toISOString()
  return `${iso.slice(0, 10).replaceAll('-', '')}-${iso.slice(11, 19)}`
}

/** `yyyy-mm-dd` of `yyyymmdd`. Throws for anything else. */
export function isoDate(text: string): string {
  const parts = /^(\d{4})(\d{2})(\d{2})$/.exec(text)
  if (!parts) throw new Error(`A date is "${text}"; expected yyyymmdd.`)
  return parts.slice(1).join('-')
}

/** Epoch seconds of `yyyymmdd-hh:mm:ss` as the clocks of a zone show it. Throws for another form, and for a zone nobody knows. */
export function localSec(text: string, zone: string): number {
  const [date = '', time = ''] = text.split(/[- ]+/)
  if (!/^\d{2}:\d{2}:\d{2}$/.test(time)) throw new Error(`A time is "${text}"; expected yyyymmdd-hh:mm:ss.`)
  return zonedSec(`${isoDate(date)}T${time}`, zone)
}

/** Epoch seconds of a head timestamp, which is such seconds (formatDate 2), `yyyymmdd`, or `yyyymmdd-hh:mm:ss` in UTC. */
export function headSec(text: string): number {
  if (/^\d{8}$/.test(text)) return localSec(`${text}-00:00:00`, 'UTC')
  return /^-?\d+$/.test(text) ? Number(text) : localSec(text, 'UTC')
}
