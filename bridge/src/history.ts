import { type BarColumns, emptyBars } from '@tidegate/core'

/** Bytes decoded at a time: about a thousand bars, a few milliseconds, so that nothing else waits long. */
const SLICE_BYTES = 96 * 1024
const FIELDS_A_BAR = 8
/** Message 17 of server versions 124 to 195: id, reqId, start, end, count, then eight fields a bar. */
const HEAD_FIELDS = 5

/** What a historical reply says before its bars. */
export interface HistoryHead {
  readonly requestId: number
  readonly count: number
}

/**
 * Decodes one historical reply (message 17, fields ending in NUL) in slices: first its head, then columns of bars.
 * The caller decides how to breathe between slices. Throws when the bars are not as many as announced.
 */
export function* decodeHistory(frame: Buffer): Generator<HistoryHead | BarColumns, void> {
  let at = 0
  const head: string[] = []
  while (head.length < HEAD_FIELDS) {
    const end = frame.indexOf(0, at)
    if (end < 0) throw new Error('A historical reply broke off within its head.')
    head.push(frame.toString('latin1', at, end))
    at = end + 1
  }
  const count = Number(head[4])
  yield { requestId: Number(head[1]), count }
  let seen = 0
  let rest: string[] = []
  while (at < frame.length) {
    let end = Math.min(at + SLICE_BYTES, frame.length)
    while (end < frame.length && frame[end - 1] !== 0) end++
    const fields = frame.toString('latin1', at, frame[end - 1] === 0 ? end - 1 : end).split('\0')
    at = end
    const tokens = rest.length > 0 ? rest.concat(fields) : fields
    const whole = Math.floor(tokens.length / FIELDS_A_BAR)
    rest = tokens.slice(whole * FIELDS_A_BAR)
    seen += whole
    yield columns(tokens, whole)
  }
  if (seen !== count || rest.length > 0) throw new Error(`A historical reply announced ${count} bars and held ${seen}.`)
}

function columns(tokens: readonly string[], bars: number): BarColumns {
  const into = emptyBars()
  for (let i = 0; i < bars; i++) {
    const at = i * FIELDS_A_BAR
    into.t.push(barTime(tokens[at] ?? ''))
    into.o.push(price(tokens[at + 1]))
    into.h.push(price(tokens[at + 2]))
    into.l.push(price(tokens[at + 3]))
    into.c.push(price(tokens[at + 4]))
    into.v.push(orNull(tokens[at + 5]))
    into.w.push(orNull(tokens[at + 6]))
    into.n.push(whole(orNull(tokens[at + 7])))
  }
  return into
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

/** A price as sent: −1 is a price too (spreads trade there). */
function price(text: string | undefined): number {
  const value = Number(text)
  if (text === undefined || !DECIMAL.test(text) || !Number.isFinite(value)) {
    throw new Error(`A bar's price is "${text}"; expected a number.`)
  }
  return value
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
