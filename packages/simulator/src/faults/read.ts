import type { Faults } from '../faults.ts'
import { FAULTS, type FaultRow } from './table.ts'

/** A value that no fault takes; the message says which, and what it takes. */
export class FaultError extends Error {
  override readonly name = 'FaultError'
}

/**
 * Reads faults from values as JSON has them, or as the command line does, all texts. Throws FaultError for a name that is
 * none or a value it does not take, and then changes nothing.
 */
export function readFaults(given: Readonly<Record<string, unknown>>): Partial<Faults> {
  const read: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(given)) {
    const row = FAULTS.find((one) => one.name === name)
    if (!row) throw new FaultError(`There is no fault ${JSON.stringify(name)}; known are ${names()}.`)
    read[name] = READ[row.kind](value, row)
  }
  // Each value has been read as its fault's kind demands.
  return read as Partial<Faults>
}

const names = (): string => FAULTS.map(({ name }) => name).join(', ')

const MAX_COUNT = 1_000_000_000

const READ: Readonly<Record<FaultRow['kind'], (value: unknown, row: FaultRow) => unknown>> = {
  switch(value, row) {
    if (value === true || value === 'true') return true
    if (value === false || value === 'false') return false
    throw wrong(row, value, 'true or false')
  },
  count: (value, row) => wholeOf(value) ?? refuse(row, value, 'a whole number'),
  choice(value, row) {
    const words = row.words ?? []
    if (typeof value === 'string' && words.includes(value)) return value
    throw wrong(row, value, words.join(', '))
  },
  ids(value, row) {
    const parts = typeof value === 'string' ? value.split(',').filter((part) => part !== '') : value
    const ids = Array.isArray(parts) ? parts.map(wholeOf) : [undefined]
    return ids.includes(undefined) ? refuse(row, value, 'a list of client ids') : ids
  },
  symbols(value, row) {
    const symbols = typeof value === 'string' ? value.split(',').filter((part) => part !== '') : value
    const isList = Array.isArray(symbols) && symbols.every((symbol) => typeof symbol === 'string')
    return isList ? symbols : refuse(row, value, 'a list of symbols')
  },
  refusal(value, row) {
    if (value === null) return undefined
    const given = typeof value === 'string' ? refusalText(value) : value
    const { times, code = 162, text, of } = isRecord(given) ? given : {}
    const isFarm = of === undefined || of === 'history' || of === 'definition' || of === 'market'
    if (wholeOf(times) === undefined || wholeOf(code) === undefined || typeof text !== 'string' || !isFarm) {
      throw wrong(
        row,
        value,
        'times:code:text, or {"times", "code", "text", "of"} with a farm: history, definition, market',
      )
    }
    return { times: wholeOf(times), code: wholeOf(code), text, ...(of === undefined ? {} : { of }) }
  },
}

/** `3:162:HMDS query returned no data`: how often, which code, and a text that may hold colons. */
function refusalText(value: string): Record<string, unknown> {
  const [, times, code, text] = /^(\d+):(\d+):(.*)$/.exec(value) ?? []
  return { times, code, text }
}

/** A number, or a text of digits, as a whole number; undefined for anything else. */
function wholeOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{1,10}$/.test(value) ? Number(value) : value
  return typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= MAX_COUNT
    ? number
    : undefined
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function wrong({ name }: FaultRow, value: unknown, expected: string): FaultError {
  return new FaultError(`The fault ${name} is ${JSON.stringify(value)}; expected ${expected}.`)
}

function refuse(row: FaultRow, value: unknown, expected: string): never {
  throw wrong(row, value, expected)
}
