import { readFileSync } from 'node:fs'
import { ERROR_KINDS } from '@tidegate/core'
import { describe, expect, it } from 'vitest'
import { CODES, type CodeRow, gatewayError, meaningOf } from '../src/codes.ts'
import { farmOf } from '../src/farms.ts'
import { createStrangers } from '../src/strangers.ts'

/** Every code of our list of IBKR's rules, as its table and its text name them. */
// biome-ignore format: lines as the list has them.
const LISTED = [
  162, 165, 200, 320, 321, 322, 323, 326, 354, 10089, 10090, 10091, 10186, 366, 386, 420, 10167, 10168,
  10187, 10189, 10190, 10197, 10225, 10314, 337, 2188, 100, 101, 502, 504, 507, 1100, 1101, 1102,
  2103, 2105, 2157, 2104, 2106, 2158, 2107, 2108, 2110, 2119, 10339, 506,
]
const HMDS = 'Historical Market Data Service error message:'

const DOCS = new URL('../../docs/bridge.md', import.meta.url)

/** A row as the documentation has it. */
function docRow({ codes, text, means, does, advice }: CodeRow): string {
  const pattern = text === undefined ? '' : `\`${text.source.replaceAll('|', '\\|')}\``
  return `| ${codes.join(', ')} | ${pattern} | \`${means}\` | ${does}${advice === undefined ? '' : `. ${advice}`} |`
}

describe('the table of codes', () => {
  it('is the one of the documentation, row by row', () => {
    const lines = readFileSync(DOCS, 'utf8').split('\n')
    const from = lines.indexOf('| codes | text | means | then |')
    const to = lines.indexOf('', from)
    expect(lines.slice(from + 2, to)).toEqual(CODES.map(docRow))
  })

  it('has a row for every code listed, with what it means and what is done', () => {
    const rows = CODES.flatMap((row) => row.codes)
    expect(LISTED.filter((code) => !rows.includes(code))).toEqual([])
    expect(rows.filter((code) => !LISTED.includes(code)).sort()).toEqual([2174, 2176, 300, 503].sort())
    for (const row of CODES) {
      expect([...ERROR_KINDS, 'no-data', 'notice', 'ignore']).toContain(row.means)
      expect(row.does).not.toBe('')
    }
  })

  it('has a last row without a text for each code but none twice, so that no row is out of reach', () => {
    const seen = new Set<number>()
    for (const { codes, text } of CODES) {
      for (const code of codes) {
        expect([code, seen.has(code)]).toEqual([code, false])
        if (text === undefined) seen.add(code)
      }
    }
    expect(LISTED.filter((code) => !seen.has(code))).toEqual([])
  })

  it.each([
    [162, `${HMDS}HMDS query returned no data: GOOGL@SMART Trades`, 'no-data'],
    [162, `${HMDS}HMDS QUERY returned  no data`.replace('  ', ' '), 'no-data'],
    [162, `${HMDS}Historical data request pacing violation`, 'pacing'],
    [162, `${HMDS}API historical data query cancelled: 28`, 'timeout'],
    [162, `${HMDS}HMDS server disconnect occurred.  Attempting reconnection...`, 'farm-down'],
    [200, 'The contract description specified for MSFT is ambiguous.', 'invalid'],
    [200, 'No security definition has been found for the request', 'not-found'],
    [420, 'Invalid Real-time Query:No market data permissions for NYSE STK', 'no-permission'],
    [420, 'Invalid Real-time Query:Historical data request pacing violation', 'pacing'],
    [2188, 'Up-to-the-second historical data requires a subscription', 'notice'],
    [366, 'No historical data query found for ticker id:3', 'ignore'],
  ])('reads %i "%s" as %s', (code, text, means) => {
    expect(meaningOf(code, text)).toMatchObject({ means, known: true })
  })

  it('treats what it does not know with care', () => {
    expect(meaningOf(2199, 'a new warning')).toMatchObject({ means: 'notice', known: false })
    expect(meaningOf(2200, 'no warning')).toMatchObject({ means: 'internal', known: false })
    expect(meaningOf(10999, 'a new error')).toMatchObject({ means: 'internal', known: false })
    expect(meaningOf(162, `${HMDS}never seen`)).toMatchObject({ means: 'internal', known: false })
  })
})

describe('an unknown code', () => {
  it('is logged once, with its first text, accounts masked', () => {
    const lines: string[] = []
    const say = (fields: object, message: string) => void lines.push(`${JSON.stringify(fields)} ${message}`)
    const strangers = createStrangers({ debug: say, info: say, warn: say, error: say })
    strangers.meet(10999, 'account DU1234567 is odd')
    strangers.meet(10999, 'account DU1234567 is odd again')
    strangers.meet(10998, 'other')
    expect(lines).toEqual([
      '{"code":10999} the gateway sent a code that the bridge does not know, 10999: account DU*****67 is odd',
      '{"code":10998} the gateway sent a code that the bridge does not know, 10998: other',
    ])
  })
})

it('an error in the gateway’s words shows no account', () => {
  const error = gatewayError('invalid', 321, 'Error: account U1234567, F7654321 or SIM0000001 of 20260408 and ES 5000')
  expect(error.message).toBe(
    'IBKR answered 321: Error: account U*****67, F*****21 or SIM*****01 of 20260408 and ES 5000',
  )
})

describe('a farm notice', () => {
  it.each([
    [2103, 'Market data farm connection is broken:usfarm', 'usfarm', 'market', 'broken'],
    [2104, 'Market data farm connection is OK:usfarm.nj', 'usfarm.nj', 'market', 'ok'],
    [2105, 'HMDS data farm connection is broken:ushmds', 'ushmds', 'history', 'broken'],
    [2106, 'HMDS data farm connection is OK:ushmds', 'ushmds', 'history', 'ok'],
    [
      2107,
      'HMDS data farm connection is inactive but should be available upon demand.ushmds',
      'ushmds',
      'history',
      'inactive',
    ],
    [
      2108,
      'Market data farm connection is inactive but should be available upon demand.usopt',
      'usopt',
      'market',
      'inactive',
    ],
    [2119, 'Market data farm is connecting:usfarm', 'usfarm', 'market', 'connecting'],
    [2157, 'Sec-def data farm connection is broken:secdefnj', 'secdefnj', 'definition', 'broken'],
    [2158, 'Sec-def data farm connection is OK:secdefnj', 'secdefnj', 'definition', 'ok'],
  ])('%i names its farm and its state', (code, text, name, kind, state) => {
    expect(farmOf(code, text)).toEqual({ name, kind, state })
  })

  it('is told from any other', () => {
    expect(farmOf(1100, 'Connectivity has been lost:usfarm')).toBeUndefined()
    expect(farmOf(2105, '')).toBeUndefined()
  })
})
