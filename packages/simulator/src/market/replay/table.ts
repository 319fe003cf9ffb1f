import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { CsvError, parse } from 'csv-parse/sync'
import { parseStamp, STAMP_FORMATS } from './stamp.ts'

/** A file's bars in order of time, as columns of equal length. Times in epoch seconds; `volume` −1 where the file has none. */
export interface Table {
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

/** One row by column, and the line it stands on. */
interface Line {
  readonly cells: Readonly<Record<string, string>>
  readonly number: number
}

/**
 * Reads a CSV file of bars, plain or gzip. Rejects with the file, the line and what was expected there: a missing
 * column, a time or a number that is none, times that do not rise, no row at all.
 */
export async function readTable(path: string): Promise<Table> {
  const lines = parseLines(path, await readText(path))
  if (lines.length === 0) throw new Error(`${path} has no rows; expected a header and at least one bar.`)
  const columns = { timeSec: [], open: [], high: [], low: [], close: [], volume: [] }
  const table: Table & { decimals: number } = { ...columns, decimals: 0 }
  for (const { cells, number } of lines) {
    const fault = (what: string) => new Error(`${path}, line ${number}: ${what}`)
    const stamp = cells.timestamp ?? cells.timestamp_utc ?? ''
    const sec = parseStamp(stamp)
    if (sec === undefined) throw fault(`the time is ${JSON.stringify(stamp)}; expected ${STAMP_FORMATS}.`)
    const before = table.timeSec.at(-1)
    if (before !== undefined && sec <= before) {
      throw fault(`the time ${stamp} is not after that of the row above; expected rising times.`)
    }
    table.timeSec.push(sec)
    for (const name of PRICES) {
      const text = cells[name] ?? ''
      table[name].push(numberOf(text, name, fault))
      table.decimals = Math.max(table.decimals, decimalsOf(text))
    }
    table.volume.push(volumeOf(cells.volume ?? '', fault))
  }
  return table
}

async function readText(path: string): Promise<string> {
  try {
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
    throw new Error(`${path}, line ${String(cause.lines)}: ${cause.message}`, { cause })
  }
}

/** The header's names in lower case; throws where one that is needed is missing. */
function columnsOf(path: string, header: readonly string[]): string[] {
  const names = header.map((name) => name.toLowerCase())
  const missing = PRICES.filter((name) => !names.includes(name)) as string[]
  if (!TIMES.some((name) => names.includes(name))) missing.unshift(TIMES.join(' or '))
  if (missing.length === 0) return names
  throw new Error(`${path}, line 1: no column ${missing.join(', ')}; the header has ${header.join(', ')}.`)
}

const NUMBER = /^-?\d+(?:\.\d+)?$/

function numberOf(text: string, name: string, fault: (what: string) => Error): number {
  if (!NUMBER.test(text)) throw fault(`${name} is ${JSON.stringify(text)}; expected a decimal number such as 1.5760.`)
  return Number(text)
}

function volumeOf(text: string, fault: (what: string) => Error): number {
  if (text === '') return -1
  const volume = numberOf(text, 'volume', fault)
  if (volume < 0) throw fault(`volume is ${text}; expected 0 or more, or nothing where there is none.`)
  return volume
}

function decimalsOf(text: string): number {
  const point = text.indexOf('.')
  return point < 0 ? 0 : text.length - point - 1
}
