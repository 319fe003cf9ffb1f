import type { PlanAnswer } from '@tidegate/functions'
import { describe, expect, test } from 'vitest'
import type { Client } from '../src/client.ts'
import { fill } from '../src/fill.ts'
import { planText } from '../src/plan.ts'
import { NOW_MS, tidegate } from './command.ts'

const small = ['--instruments', 'AAPL.NASDAQ', '--timeframe', '5-SECOND-LAST', '--start', '2026-05-01']

describe('plan', () => {
  test('tells requests, weight, what takes longest and what can never be had; as JSON what the interface answers', async () => {
    const { status, out } = await tidegate('/nowhere', ['plan', ...small, '--end', '2026-11-02'])
    expect(status).toBe(0)
    expect(out).toMatch(/│ AAPL\.NASDAQ │ 5-SECOND-LAST │.*│ +1 │ +4,\d{3} │ +4,\d{3} │/)
    expect(out).toMatch(/4,\d{3} requests of weight 4,\d{3}; under IBKR's pacing that takes about 11 hours\.\n/)
    expect(out).toContain('What takes longest: of bars up to 30 seconds IBKR answers a weight of 60 in ten minutes.\n')
    expect(out).toMatch(
      /Not to be had: AAPL\.NASDAQ 5-SECOND-LAST, 2026-05-01 00:00 to 2026-05-\d\d 00:00: IBKR keeps bars of 30 seconds and less for six months\.\n/,
    )
    expect(out).toMatch(/Nothing was asked of the gateway\.\n$/)
    const json = await tidegate('/nowhere', ['plan', ...small, '--end', '2026-11-02', '--json'])
    expect(JSON.parse(json.out)).toMatchObject({ boundBy: 'small bars', series: [{ weight: expect.any(Number) }] })
  })

  test('of a dataset that is not declared says so; one and a fetch are misuse', async () => {
    const none = await tidegate('/nowhere', ['plan', '--dataset', 'stocks'])
    expect([none.status, none.err]).toEqual([1, 'tidegate: There is no dataset "stocks": declare it first.\n'])
    const both = await tidegate('/nowhere', ['plan', '--dataset', 'stocks', ...small])
    expect([both.status, both.err]).toEqual([2, expect.stringContaining('cannot be used with')])
    const neither = await tidegate('/nowhere', ['plan'])
    expect([neither.status, neither.err]).toEqual([2, expect.stringContaining('not given: --instruments')])
  })

  test('names three of many, and the permission that was missing', () => {
    const key = { spec: '1-MINUTE-LAST', hours: 'regular' } as const
    const window = { start: '2026-01-05T00:00:00Z', end: '2026-01-06T00:00:00Z' }
    const refusal = {
      spec: '1-HOUR-LAST',
      message: 'No market data permissions for NYSE STK',
      code: 162,
      at: window.end,
    }
    const series = ['A', 'B', 'C', 'D', 'E'].map((instrumentId) => ({
      ...{ instrumentId, ...key, wanted: window, gaps: [window], requests: 1, weight: 0, refusal },
      unavailable: [{ windows: [window], why: 'it expired on 2026-01-01' }],
    }))
    const problems = [
      {
        dataset: 'd',
        instrument: 'NOPE.NYSE',
        spec: undefined,
        error: { kind: 'not-found', message: 'NOPE.NYSE: unknown' },
      },
      { dataset: 'd', instrument: 'A', spec: '1-DAY-LAST', error: { kind: 'timeout', message: 'too late' } },
    ] as const
    const plan = { series, requests: 5, weight: 0, expectedSec: 0, boundBy: null, problems }
    const text = planText(plan, window.end, undefined)
    expect(text).toContain('\nd: NOPE.NYSE: unknown\nd: A 1-DAY-LAST: too late\nNothing was asked')
    expect(text).toContain(
      'Not to be had: A 1-MINUTE-LAST, B 1-MINUTE-LAST, C 1-MINUTE-LAST and 2 more, 2026-01-05 00:00 to 2026-01-06 00:00: it expired',
    )
    expect(text).toContain(
      'No permission so far: A, B, C and 2 more. IBKR said on 2026-01-06 00:00 of 1-HOUR-LAST: No market data permissions for NYSE STK\n',
    )
    expect(text).not.toContain('weight')
  })

  test('says of what it is not known yet since when IBKR has data', () => {
    const key = { spec: '1-DAY-LAST', hours: 'regular' } as const
    const none = { gaps: [], requests: 0, weight: 0, unavailable: [], refusal: null }
    const headless = { instrumentId: 'A', ...key, ...none, wanted: null, isHeadUnknown: true } as const
    const window = { start: '2026-01-05T00:00:00Z', end: '2026-01-06T00:00:00Z' }
    const other = { instrumentId: 'B', ...key, ...none, wanted: window, gaps: [window], requests: 1 }
    const total = { weight: 0, expectedSec: 0, boundBy: null, problems: [] }
    const alone = planText({ series: [headless], requests: 0, ...total }, undefined, undefined)
    expect(alone).toContain('data of 1 series: how many requests that takes is not known yet')
    expect(alone).not.toContain('final')
    const both = planText({ series: [headless, other], requests: 1, ...total }, undefined, undefined)
    expect(both).toMatch(/A .*not known yet[^\n]*–[^\n]*–/)
    expect(both).toContain('1 request; ')
    expect(both).toContain('the requests for that come on top')
  })
})

test('a fetch of more than one run holds goes on by itself until nothing remains', async () => {
  const key = { instrumentId: 'AAPL.NASDAQ', spec: '1-MINUTE-LAST', hours: 'regular' } as const
  const [start, end] = ['2026-01-05T00:00:00Z', '2026-01-10T00:00:00Z']
  let open = 5
  const started: number[] = []
  const states = { queued: 0, leased: 0, failed: 0, parked: 0, cancelled: 0 }
  const client = {
    async plan(): Promise<PlanAnswer> {
      const gaps = open > 0 ? [{ start, end: `2026-01-0${5 + open}T00:00:00Z` }] : []
      const one = { ...key, wanted: { start, end }, gaps, requests: open, weight: 0, unavailable: [], refusal: null }
      return { series: [one], requests: open, weight: 0, expectedSec: 0, boundBy: null, problems: [] }
    },
    async start() {
      const chunks = Math.min(2, open)
      started.push(chunks)
      open -= chunks
      return { id: `r${started.length}`, chunks, remaining: open, series: [{ id: 1, ...key }], problems: [] }
    },
    async run(id: string) {
      const done = started.at(-1) ?? 0
      const series = [{ seriesId: 1, ...key, bars: 10 * done, settled: done, total: done, error: undefined }]
      return { id, state: 'done', createdAt: start, finishedAt: end, chunks: { ...states, done }, bars: 0, series }
    },
  } as unknown as Client
  const shown: string[] = []
  const filled = await fill(
    client,
    { instruments: ['AAPL.NASDAQ'], specs: ['1MIN'], start, end },
    {
      sleep: async () => {},
      signal: new AbortController().signal,
      now: () => NOW_MS,
      progress: { show: (_, { settled, total }) => void shown.push(`${settled}/${total}`), stop: () => {} },
    },
  )
  expect(started).toEqual([2, 2, 1])
  expect(filled).toMatchObject({ chunks: 5, series: [{ gaps: [], pending: [] }] })
  expect(shown.at(-1)).toBe('5/5')
})
