import { readFile, stat } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { CsvError, parse } from 'csv-parse/sync'
import { quoted } from './quoted.ts'
import { parseStamp, STAMP_FORMATS } from './stamp.ts'

/** A file's bars in order of time, as columns of equal length. Times in epoch seconds; `volume` −1 where the file has none. */
export interface Table {
  /** The line each row stands on, from 1. */
  readonly line: number[]
  readonly timeSec: number[]
  readonly open: number[]
  readonly high: number[]
  readonly low: number[]
  readonly close: number[]
  readonly volume: number[]
  /** Most digits behind the point of any price. */
  readonly decimals: number
}

const PRICES = ['open', 'high', 'low', 'close'] as const
const TIMES = ['timestamp', 'timestamp_utc'] as const
/** An error names no more of a header's columns. */
const MAX_NAMED = 12

/** One row by column, and the line it stands on. */
interface Line {
  readonly cells: Readonly<Record<string, string>>
  readonly number: number
}

/**
 * Reads a CSV file of bars, plain or gzip. Rejects with the file, the line and what was expected there: a column that
 * is missing or there twice, a time or a number that is none, times that do not rise, prices outside of low and high,
 * no row at all; and for what is no regular file, such as a pipe, which might never end.
 */
export async function readTable(path: string): Promise<Table> {
  const lines = parseLines(path, await readText(path))
  if (lines.length === 0) throw new Error(`${path} has no rows; expected a header and at least one bar.`)
  const columns = { line: [], timeSec: [], open: [], high: [], low: [], close: [], volume: [] }
  const table: Table & { decimals: number } = { ...columns, decimals: 0 }
  for (const { cells, number } of lines) {
    const fault = (what: string) => new Error(`${path}, line ${number}: ${what}`)
    const stamp = cells.timestamp ?? cells.timestamp_utc ?? ''
    const sec = parseStamp(stamp)
    if (sec === undefined) throw fault(`the time is ${quoted(stamp)}; expected ${STAMP_FORMATS}.`)
    const before = table.timeSec.at(-1)
    if (before !== undefined && sec <= before) {
      throw fault(`the time ${quoted(stamp)} is not after that of the row above; expected rising times.`)
    }
    table.line.push(number)
    table.timeSec.push(sec)
    for (const name of PRICES) {
      const text = cells[name] ?? ''
      table[name].push(numberOf(text, name, fault))
      table.decimals = Math.max(table.decimals, decimalsOf(text))
    }
    const wrong = wrongPrices(cells)
    if (wrong) throw fault(wrong)
    table.volume.push(volumeOf(cells.volume ?? '', fault))
  }
  return table
}

/** What is wrong with a bar's four prices, if they contradict one another. */
function wrongPrices(cells: Line['cells']): string | undefined {
  const [open, high, low, close] = PRICES.map((name) => Number(cells[name]))
  if (high === undefined || low === undefined) return undefined
  if (high < low)
    return `high ${quoted(cells.high ?? '')} is below low ${quoted(cells.low ?? '')}; expected high ≥ low.`
  const outside = (price = low) => price < low || price > high
  const name = outside(open) ? 'open' : outside(close) ? 'close' : undefined
  return name && `${name} ${quoted(cells[name] ?? '')} is not between low and high; expected low ≤ ${name} ≤ high.`
}

async function readText(path: string): Promise<string> {
  try {
    if (!(await stat(path)).isFile()) throw new Error('it is no regular file; expected one, not a directory or a pipe.')
    const bytes = await readFile(path)
    const zipped = bytes[0] === 0x1f && bytes[1] === 0x8b
    return (zipped ? await promisify(gunzip)(bytes) : bytes).toString('utf8')
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`${path} cannot be read as a CSV file, plain or gzip: ${reason}`, { cause })
  }
}

function parseLines(path: string, text: string): Line[] {
  try {
    return parse<Line, Record<string, string>>(text, {
      bom: true,
      trim: true,
      skip_empty_lines: true,
      columns: (header: string[]) => columnsOf(path, header),
      on_record: (cells, { lines }) => ({ cells, number: lines }),
    })
  } catch (cause) {
    if (!(cause instanceof CsvError)) throw cause
    throw new Error(`${path}, line ${String(cause.lines)}: ${csvFault(cause)}`, { cause })
  }
}

/** The parser's own words, without the cells that it may show whole. */
function csvFault({ code, message }: CsvError): string {
  if (code === 'CSV_RECORD_INCONSISTENT_COLUMNS' || code === 'CSV_QUOTE_NOT_CLOSED') return message
  return `it cannot be read as CSV (${code}); expected values with commas between, quoted where they hold one.`
}

/** The header's names in lower case; throws where one that is needed is missing, or stands there twice. */
function columnsOf(path: string, header: readonly string[]): string[] {
  const names = header.map((name) => name.toLowerCase())
  const single: readonly (readonly string[])[] = [TIMES, ...PRICES.map((name) => [name]), ['volume']]
  for (const one of single) {
    const own = names.filter((name) => one.includes(name))
    if (own.length > 1) throw new Error(`${path}, line 1: columns ${own.join(', ')}; expected one of them.`)
  }
  const missing = PRICES.filter((name) => !names.includes(name)) as string[]
  if (!TIMES.some((name) => names.includes(name))) missing.unshift(TIMES.join(' or '))
  if (missing.length === 0) return names
  const more = header.length > MAX_NAMED ? ` and ${header.length - MAX_NAMED} more` : ''
  const found = `${header.slice(0, MAX_NAMED).map(quoted).join(', ')}${more}`
  throw new Error(`${path}, line 1: no column ${missing.join(', ')}; the header has ${found}.`)
}

const NUMBER = /^-?\d+(?:\.\d+)?$/

function numberOf(text: string, name: string, fault: (what: string) => Error): number {
  if (!NUMBER.test(text)) throw fault(`${name} is ${quoted(text)}; expected a decimal number such as 1.5760.`)
  return Number(text)
}

function volumeOf(text: string, fault: (what: string) => Error): number {
  if (text === '') return -1
  const volume = numberOf(text, 'volume', fault)
  if (volume < 0) throw fault(`volume is ${quoted(text)}; expected 0 or more, or nothing where there is none.`)
  return volume
}

function decimalsOf(text: string): number {
  const point = text.indexOf('.')
  return point < 0 ? 0 : text.length - point - 1
}
