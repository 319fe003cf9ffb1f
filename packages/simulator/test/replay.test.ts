import { execFileSync } from 'node:child_process'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { createSimulator, type PriceKind, type Replay, replayStartMs, type Simulator } from '../src/index.ts'
import { allProducts } from '../src/market/listings/listings.ts'
import { createMarket } from '../src/market/market.ts'
import { historiesOf, loadReplays } from '../src/market/replay/load.ts'
import { ANY, utc } from './market-fixture.ts'
import { HEADER, useFiles } from './replay-files.ts'

const files = useFiles()
const open: Simulator[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((simulator) => simulator.close()))
})

async function simulate(...replay: Replay[]): Promise<Simulator> {
  const simulator = await createSimulator({ replay })
  open.push(simulator)
  return simulator
}

const GBP = { symbol: 'GBP', secType: 'CASH', currency: 'USD' }

/** What a client should get, as `hh:mm open high low close volume` with the date where the bars have no time. */
function rows(of: Simulator, contract: object, size: string, kind: PriceKind, useRTH = false): string[] {
  const window = { startSec: utc('2000-01-01T00:00'), endSec: utc('2030-01-01T00:00') }
  return of
    .truth({ contract, barSize: size, whatToShow: kind, useRTH, ...window })
    .map(({ timeSec, open, high, low, close, volume }) =>
      [new Date(timeSec * 1000).toISOString().slice(5, 16), open, high, low, close, volume].join(' '),
    )
}

/** Wednesday, around 17:00 in New York: IDEALPRO is closed from 22:00 to 22:15 UTC. */
const BID = [
  HEADER,
  '2012-02-01 21:58:00+00:00,1.57597,1.57606,1.57576,1.57576',
  '2012-02-01 21:59:00+00:00,1.57576,1.57583,1.57543,1.57550',
  '2012-02-01 22:05:00+00:00,1.57550,1.57560,1.57540,1.57555',
  '2012-02-01 22:16:00+00:00,1.57555,1.57570,1.57550,1.57570',
]
const ASK = [
  HEADER,
  '2012-02-01 21:58:00+00:00,1.57608,1.57610,1.57585,1.57585',
  '2012-02-01 21:59:00+00:00,1.57585,1.57591,1.57552,1.57560',
  '2012-02-01 22:16:00+00:00,1.57565,1.57581,1.57560,1.57581',
]

async function pounds(): Promise<Simulator> {
  const [bid, ask] = [await files.write('gbpusd-bid.csv.gz', BID), await files.write('gbpusd-ask.csv', ASK)]
  const instrument = 'GBP/USD.IDEALPRO'
  return simulate({ instrument, path: bid }, { instrument, path: ask })
}

describe('a replayed listing', () => {
  it('has exactly the rows of its files, those outside its sessions too', async () => {
    const simulator = await pounds()
    for (const useRTH of [false, true]) {
      expect(rows(simulator, GBP, '1 min', 'BID', useRTH)).toEqual([
        '02-01T21:58 1.57597 1.57606 1.57576 1.57576 -1',
        '02-01T21:59 1.57576 1.57583 1.57543 1.5755 -1',
        '02-01T22:05 1.5755 1.5756 1.5754 1.57555 -1',
        '02-01T22:16 1.57555 1.5757 1.5755 1.5757 -1',
      ])
    }
    expect(rows(simulator, GBP, '1 min', 'ASK')).toHaveLength(3)
  })

  it('has mid prices where both sides are, exact in decimals', async () => {
    expect(rows(await pounds(), GBP, '1 min', 'MIDPOINT')).toEqual([
      '02-01T21:58 1.576025 1.57608 1.575805 1.575805 -1',
      '02-01T21:59 1.575805 1.57587 1.575475 1.57555 -1',
      '02-01T22:16 1.5756 1.575755 1.57555 1.575755 -1',
    ])
  })

  it('has BID_ASK where both sides are', async () => {
    const [first] = rows(await pounds(), GBP, '1 min', 'BID_ASK')
    expect(first).toBe('02-01T21:58 1.5758875 1.5761 1.57576 1.57597 -1')
    const [longer] = rows(await pounds(), GBP, '5 mins', 'BID_ASK')
    expect(longer).toMatch(/^02-01T21:55 1\.57575\d* 1\.5761 1\.57543 1\.57584\d* -1$/)
  })

  it('makes longer bars of its rows, and none shorter', async () => {
    const simulator = await pounds()
    expect(rows(simulator, GBP, '5 mins', 'BID')).toEqual([
      '02-01T21:55 1.57597 1.57606 1.57543 1.5755 -1',
      '02-01T22:05 1.5755 1.5756 1.5754 1.57555 -1',
      '02-01T22:15 1.57555 1.5757 1.5755 1.5757 -1',
    ])
    expect(rows(simulator, GBP, '1 day', 'BID')).toEqual([
      '02-01T00:00 1.57597 1.57606 1.5754 1.57555 -1',
      '02-02T00:00 1.57555 1.5757 1.5755 1.5757 -1',
    ])
    expect(rows(simulator, GBP, '30 secs', 'BID')).toEqual([])
  })

  it('offers what its files hold or make, and leaves other listings alone', async () => {
    const bid = await files.write('only-bid.csv', BID)
    const simulator = await simulate({ instrument: 'GBP/USD.IDEALPRO', path: bid })
    expect(rows(simulator, GBP, '1 min', 'ASK')).toEqual([])
    const euro = { contract: { symbol: 'EUR', secType: 'CASH', currency: 'USD' }, barSize: '1 day', useRTH: false }
    const window = { startSec: utc('2012-01-23T00:00'), endSec: utc('2012-01-28T00:00') }
    expect(simulator.truth({ ...euro, whatToShow: 'ASK', ...window })).toHaveLength(5)
  })

  it('keeps volumes, and regular hours where they differ from all', async () => {
    const file = await files.write('6EH4.csv', [
      'timestamp_utc,open,high,low,close,volume',
      '2024-01-03 14:29:00,1.0951,1.0952,1.095,1.09505,205',
      '2024-01-03 14:30:00,1.09505,1.0951,1.09485,1.0949,86',
      '2024-01-03 14:31:00,1.0949,1.0949,1.0948,1.09485,0',
    ])
    const simulator = await simulate({ instrument: '6EH4.CME', path: file })
    const future = { localSymbol: '6EH4', secType: 'FUT' }
    expect(rows(simulator, future, '1 min', 'TRADES').map((row) => row.split(' ').at(-1))).toEqual(['205', '86', '0'])
    expect(rows(simulator, future, '1 min', 'TRADES', true)).toHaveLength(2)
    expect(rows(simulator, future, '1 hour', 'TRADES')).toEqual(['01-03T14:00 1.0951 1.0952 1.0948 1.09485 291'])
    expect(new Date(simulator.now()).toISOString().slice(0, 16)).toBe('2024-01-05T00:00')
    expect(simulator.replayed).toEqual([
      {
        instrument: '6EH4.CME',
        whatToShow: 'TRADES',
        rows: 3,
        fromSec: utc('2024-01-03T14:29'),
        toSec: utc('2024-01-03T14:32'),
      },
    ])
  })

  it('takes several files of one kind as one', async () => {
    const [january, february] = [
      await files.write('a.csv', [HEADER, '2024-01-31T15:00:00Z,1,2,1,2', '2024-01-31T15:01:00Z,2,2,1,1']),
      await files.write('b.csv', [HEADER, '1706799600,3,3,3,3', '1706799660000,3,4,3,4']),
    ]
    const [a, b] = [
      { instrument: 'AAPL.NASDAQ', path: january },
      { instrument: 'AAPL', path: february },
    ]
    const apple = { symbol: 'AAPL', secType: 'STK' }
    const times = rows(await simulate(b, a), apple, '1 min', 'TRADES').map((row) => row.slice(0, 11))
    expect(times).toEqual(['01-31T15:00', '01-31T15:01', '02-01T15:00', '02-01T15:01'])
    await expect(simulate(a, a)).rejects.toThrow(/a\.csv.* overlap in time, both TRADES of AAPL\.NASDAQ/)
  })

  it('takes files of days, and makes weeks of them', async () => {
    const file = await files.write('spy.csv', [
      `${HEADER},volume`,
      '2024-01-04,470,472,468,469,1000',
      '2024-01-05,469,471,467,468,2000',
      '2024-01-06,468,468,468,468,1',
      '2024-01-08,468,475,468,474,3000',
    ])
    const simulator = await simulate({ instrument: 'SPY.ARCX', path: file })
    const spy = { symbol: 'SPY', secType: 'STK' }
    expect(rows(simulator, spy, '1 day', 'TRADES', true).map((row) => row.slice(0, 5))).toEqual([
      '01-04',
      '01-05',
      '01-06',
      '01-08',
    ])
    expect(rows(simulator, spy, '1 week', 'TRADES')).toEqual(['01-06T00:00 470 472 467 468 3001'])
    expect(rows(simulator, spy, '1 hour', 'TRADES')).toEqual([])
  })

  it('takes bars that begin where a session opens, off the grid: IBKR’s stubs', async () => {
    const times = ['14:30', '15:00', '16:00', '17:00'].map((time) => `2024-02-01 ${time}:00`)
    const hours = await files.write('hours.csv', [HEADER, ...times.map((time) => `${time},1,2,1,2`)])
    const simulator = await simulate({ instrument: 'AAPL', path: hours })
    expect(rows(simulator, { symbol: 'AAPL', secType: 'STK' }, '1 hour', 'TRADES')).toHaveLength(4)
  })

  it('tells nothing of a row that has not closed yet', async () => {
    const path = await files.write('early-bid.csv', BID)
    const recordings = await loadReplays([{ instrument: 'GBP/USD', path }], allProducts())
    const market = createMarket({ products: allProducts(), seed: '', replayed: historiesOf(recordings) })
    const [listing] = market.find({ ...ANY, localSymbol: 'GBP.USD' })
    if (!listing) throw new Error('GBP.USD is not listed.')
    const window = { startSec: 0, endSec: utc('2012-02-02T00:00'), nowSec: utc('2012-02-01T21:59:30') }
    for (const barSize of ['1 min', '5 mins', '1 day']) {
      const bars = market.bars({ listing, barSize, whatToShow: 'BID', useRTH: false, ...window })
      expect(bars.map(({ close }) => close)).toEqual([1.57576])
    }
  })
})

describe('the clock', () => {
  it('starts two days after the newest row, at midnight', () => {
    const start = (...ends: string[]) =>
      new Date(replayStartMs(ends.map((end) => ({ toSec: utc(end) }))) ?? 0).toISOString()
    expect(start('2024-02-01T00:00')).toBe('2024-02-02T00:00:00.000Z')
    expect(start('2012-03-01T00:01', '2024-01-31T15:00')).toBe('2024-02-02T00:00:00.000Z')
    expect(replayStartMs([])).toBeUndefined()
  })
})

describe('a file that cannot be replayed', () => {
  it.each<[string, string, string[], string | RegExp]>([
    ['has no rows', 'x.csv', [HEADER], /x\.csv has no rows/],
    ['has no header', 'x.csv', [], /x\.csv has no rows; expected a header/],
    [
      'lacks a column',
      'x.csv',
      ['time,open,high,low', '1,2,3,4'],
      /line 1: no column timestamp or timestamp_utc, close/,
    ],
    ['has a short line', 'x.csv', [HEADER, '2024-01-02,1,2,3,4', '2024-01-03,1,2'], /line 3: .*5.*3/],
    ['has a date that is none', 'x.csv', [HEADER, '2024-02-30 00:00:00,1,2,3,4'], /line 2: the time is "2024-02-30/],
    ['has a zone that is none', 'x.csv', [HEADER, '2024-02-20 00:00:00+99:00,1,2,3,4'], /line 2: the time is/],
    [
      'has a price that is none',
      'x.csv',
      [HEADER, '2024-02-20 00:00:00,1,2,NaN,4'],
      /line 2: low is "NaN"; expected a dec/,
    ],
    ['has a negative volume', 'x.csv', [`${HEADER},volume`, '2024-02-20,1,2,1,2,-5'], /line 2: volume is "-5"/],
    ['runs backwards', 'x.csv', [HEADER, '2024-02-20,1,2,1,2', '2024-02-19,1,2,1,2'], /line 3: .*is not after/],
    ['repeats a time', 'x.csv', [HEADER, '2024-02-20,1,2,1,2', '2024-02-20,1,2,1,2'], /line 3: .*is not after/],
    [
      'has a column twice',
      'x.csv',
      [`${HEADER},HIGH`, '2024-02-20,1,2,1,2,3'],
      'x.csv, line 1: columns high, high; expected one of them.',
    ],
    [
      'has two columns of times',
      'x.csv',
      [`${HEADER},timestamp_utc`, '2024-02-20,1,2,1,2,3'],
      'line 1: columns timestamp, timestamp_utc;',
    ],
    [
      'has a high below its low',
      'x.csv',
      [HEADER, '2024-02-20,1,2,1,2', '2024-02-21,1.5,1.4,1.6,1.5'],
      'x.csv, line 3: high "1.4" is below low "1.6"; expected high ≥ low.',
    ],
    ['opens above its high', 'x.csv', [HEADER, '2024-02-20,3,2,1,2'], 'line 2: open "3" is not between low and high;'],
    ['closes below its low', 'x.csv', [HEADER, '2024-02-20,1,2,1,0.5'], 'line 2: close "0.5" is not between'],
    [
      'has a row off its grid',
      'x.csv',
      [HEADER, ...[0, 60, 120, 150].map((sec) => `${1706799600 + sec},1,2,1,2`)],
      /x\.csv, line 5: the time "2024-02-01 15:02:30" UTC is off the grid of 1 min, .*; expected a start/,
    ],
    [
      'has a day that is no date',
      'x.csv',
      [HEADER, '2024-02-20,1,2,1,2', '2024-02-21,1,2,1,2', '2024-02-22 05:00,1,2,1,2'],
      /line 4: .*off the grid of 1 day.*a date alone/,
    ],
    ['has a quote in the middle', 'x.csv', [HEADER, '2024-02-20,1"2,2,1,2'], /line 2: it cannot be read as CSV/],
    ['has bars of no size', 'x.csv', [HEADER, '1706799600,1,2,1,2', '1706799607,1,2,1,2'], /7 s apart/],
    ['names two kinds', 'bid-ask.csv', [HEADER, '2024-02-20,1,2,1,2'], /BID and ASK; say which one/],
  ])('%s', async (_name, name, lines, fault) => {
    const path = await files.write(name, lines)
    await expect(simulate({ instrument: 'AAPL.NASDAQ', path })).rejects.toThrow(fault)
  })

  it('is no regular file: a pipe is refused and not waited for', async () => {
    const pipe = path.join(path.dirname(await files.write('x.csv', [HEADER])), 'pipe.csv')
    execFileSync('mkfifo', [pipe])
    for (const file of [pipe, path.dirname(pipe)]) {
      await expect(simulate({ instrument: 'AAPL.NASDAQ', path: file })).rejects.toThrow(
        /it is no regular file; expected/,
      )
    }
  })

  it('is shown in short, on one line', async () => {
    const header = `\u001b[31mred,${'x'.repeat(100_000)},${Array.from({ length: 500 }, (_, i) => `c${i}`).join(',')}`
    for (const lines of [
      [header, '1'],
      [HEADER, `2024-02-20,\u202e${'9'.repeat(100_000)}x,2,1,2`],
    ]) {
      const path = await files.write('odd.csv', lines)
      const error = await simulate({ instrument: 'AAPL.NASDAQ', path }).catch((cause: Error) => cause)
      const text = error instanceof Error ? error.message : ''
      expect(text).toMatch(/odd\.csv, line [12]: /)
      expect(text.length).toBeLessThan(400)
      expect(text).toMatch(/^[\p{L}\p{N}\p{P}\p{S} ]+$/u)
    }
  })

  it('is not there, or no gzip', async () => {
    const instrument = 'AAPL.NASDAQ'
    await expect(simulate({ instrument, path: '/nowhere/x.csv' })).rejects.toThrow(/\/nowhere\/x\.csv cannot be read/)
    const path = await files.write('torn.csv', ['\u001f\u008b'])
    await expect(simulate({ instrument, path })).rejects.toThrow(/torn\.csv/)
  })

  it.each<[string, string | RegExp]>([
    ['NOPE.NASDAQ', /"NOPE\.NASDAQ" is not listed here\. The simulator lists AAPL\.NASDAQ, MSFT\.NASDAQ/],
    ['AAPL.NYSE', /lists IBM\.NYSE/],
    ['X/Y.NOWHERE', /lists AAPL\.NASDAQ, .* and \d+ more/],
    ['EUR/USD.IDEALPRO', /EUR\/USD\.IDEALPRO has no TRADES at IBKR; say which kind/],
  ])('names an instrument that cannot have it: %s', async (instrument, fault) => {
    const path = await files.write('prices.csv', [HEADER, '2024-02-20 15:00:00,1,2,1,2'])
    await expect(simulate({ instrument, path })).rejects.toThrow(fault)
  })

  it.each(['6EH4.CME', '6eh4.xcme', '6EH24.CME'])('a future by the decade of its file: %s', async (instrument) => {
    const path = await files.write('future.csv', [HEADER, '2024-02-20 15:00:00,1,2,1,2'])
    const simulator = await simulate({ instrument, path })
    expect(
      rows(simulator, { localSymbol: '6EH4', lastTradeDateOrContractMonth: '202403' }, '1 min', 'TRADES'),
    ).toHaveLength(1)
  })
})
