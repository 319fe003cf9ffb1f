import { type BarColumns, emptyBars } from '@tidegate/core'
import { FieldReader, NoMoreFields } from './fields.ts'

/** Bars decoded at a time: a millisecond or two, so that nothing else waits long. */
const BARS_A_SLICE = 1000
const HEAD_FIELDS = 5
const FIELDS_A_BAR = 8
/** Digits of epoch seconds; of fewer it may be a date. */
const EPOCH_DIGITS = { least: 9, most: 11 }

/** What a historical reply says before its bars. */
export interface HistoryHead {
  readonly requestId: number
  readonly count: number
}

/**
 * Decodes one historical reply (message 17 of server versions 124 to 195: id, reqId, start, end, count, then eight fields a
 * bar, each ending in NUL) in slices: first its head, then columns of bars. The caller decides how to breathe between slices.
 * Throws when the bars are not as many as announced.
 */
export function* decodeHistory(frame: Buffer): Generator<HistoryHead | BarColumns, void> {
  const fields = new FieldReader(frame)
  const head = headOf(fields)
  const { count } = head
  yield head
  let seen = 0
  while (seen < count) {
    const bars = columns(fields, Math.min(BARS_A_SLICE, count - seen))
    if (!bars) throw miscounted(frame, count)
    seen += bars.t.length
    yield bars
  }
  if (seen !== count || !fields.isAtEnd) throw miscounted(frame, count)
}

function headOf(fields: FieldReader): HistoryHead {
  try {
    const [, requestId, , , count] = [fields.text(), fields.text(), fields.text(), fields.text(), fields.text()]
    return { requestId: Number(requestId), count: Number(count) }
  } catch (cause) {
    throw new Error('A historical reply broke off within its head.', { cause })
  }
}

function miscounted(frame: Buffer, announced: number): Error {
  let fields = -HEAD_FIELDS
  for (const byte of frame) if (byte === 0) fields++
  const held = Math.floor(fields / FIELDS_A_BAR)
  const rest = fields % FIELDS_A_BAR
  return new Error(
    `A historical reply announced ${announced} bars and held ${held}${rest > 0 ? ' and a part of one' : ''}.`,
  )
}

/** Undefined where the message has not so many. */
function columns(fields: FieldReader, bars: number): BarColumns | undefined {
  const into = emptyBars()
  try {
    for (let i = 0; i < bars; i++) {
      into.t.push(time(fields))
      into.o.push(price(fields))
      into.h.push(price(fields))
      into.l.push(price(fields))
      into.c.push(price(fields))
      into.v.push(sizeOrNull(fields))
      into.w.push(sizeOrNull(fields))
      into.n.push(whole(sizeOrNull(fields)))
    }
  } catch (cause) {
    if (cause instanceof NoMoreFields) return undefined
    throw cause
  }
  return into
}

function time(fields: FieldReader): number {
  const sec = fields.digits(EPOCH_DIGITS)
  return Number.isNaN(sec) ? barTime(fields.text()) : sec
}

/** A price as sent: −1 is a price too (spreads trade there). */
function price(fields: FieldReader): number {
  const plain = fields.decimal()
  if (!Number.isNaN(plain)) return plain
  const text = fields.text()
  const value = Number(text)
  if (!DECIMAL.test(text) || !Number.isFinite(value)) {
    throw new Error(`A bar's price is "${text}"; expected a number.`)
  }
  return value
}

function sizeOrNull(fields: FieldReader): number | null {
  const plain = fields.decimal()
  if (Number.isNaN(plain)) return orNull(fields.text())
  return plain < 0 ? null : plain
}

/** As gateways print numbers. JavaScript's own reading takes more: `0x10`, and a blank for 0. */
const DECIMAL = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/
const DATE = /^(\d{4})(\d{2})(\d{2})$/
const EPOCH_SEC = /^\d{1,11}$/

/** Epoch seconds of a bar's date: `yyyymmdd` for daily and longer bars (00:00 UTC of it), epoch seconds otherwise (formatDate 2). */
export function barTime(text: string): number {
  const date = DATE.exec(text)
  if (date) {
    const [year = 0, month = 0, day = 0] = date.slice(1).map(Number)
    const at = new Date(Date.UTC(year, month - 1, day))
    if (at.getUTCMonth() === month - 1 && at.getUTCDate() === day) return at.getTime() / 1000
  } else if (EPOCH_SEC.test(text)) return Number(text)
  throw new Error(`A bar's time is "${text}"; expected yyyymmdd or epoch seconds.`)
}

/** Volume, wap and count are −1, or left out, where IBKR has none. */
export function orNull(text: string | undefined): number | null {
  if (!text) return null
  const value = Number(text)
  if (!DECIMAL.test(text) || !Number.isFinite(value)) {
    throw new Error(`A bar's volume, wap or count is "${text}"; expected a number.`)
  }
  return value < 0 ? null : value
}

/** Trades are counted. */
function whole(count: number | null): number | null {
  if (count !== null && !Number.isSafeInteger(count)) {
    throw new Error(`A bar's count is ${count}; expected a whole number.`)
  }
  return count
}
