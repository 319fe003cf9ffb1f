import type { AdjustmentAnswer, RestatementsAnswer } from '@tidegate/functions'
import { describe, expect, test } from 'vitest'
import { tidegate } from './command.ts'

const KEY = { instrumentId: 'AAPL.NASDAQ', spec: '1-MINUTE-LAST', hours: 'regular' } as const
const SPLIT: AdjustmentAnswer = {
  ...{ id: 7, ...KEY, ratio: 0.25, state: 'collecting', since: null, before: '2026-11-19T00:00:00Z' },
  ...{ foundAt: '2026-11-20T09:00:00Z', endedAt: null, chunks: { open: 7, done: 3, failed: 0 } },
  error: { kind: 'timeout', message: 'The gateway took too long.' },
}
const BAR: RestatementsAnswer['restatements'][number] = {
  ...{ ...KEY, t: '2026-11-18T15:00:00Z', at: '2026-11-20T10:00:00Z', adjustment: 7 },
  ...{ old: { open: 400, high: 404, low: 396, close: 402 }, new: { open: 100, high: 101, low: 99, close: 100.5 } },
}

/** A command of a Tidegate elsewhere that answers each of these by its method and path; what was asked of it. */
async function run(argv: readonly string[], answers: Readonly<Record<string, object>>) {
  const asked: string[] = []
  const env = { TIDEGATE_URL: 'http://tidegate.test', TIDEGATE_KEY: 'k'.repeat(32) }
  const fetch = async ({ method, url }: Request) => {
    const { pathname, search } = new URL(url)
    const query = [...new URLSearchParams(search)].map((pair) => pair.join('=')).sort()
    asked.push([method, pathname, ...query].join(' '))
    const answer = answers[`${method} ${pathname}`]
    return answer
      ? Response.json(answer)
      : Response.json({ error: { kind: 'not-found', message: 'No.' } }, { status: 404 })
  }
  return { ...(await tidegate('/nowhere', ['restatements', ...argv], { env, fetch })), asked }
}

describe('restatements', () => {
  const told = {
    'GET /v1/adjustments': {
      adjustments: [
        SPLIT,
        { ...SPLIT, id: 6, state: 'abandoned' as const, since: SPLIT.before },
        { ...SPLIT, id: 5, state: 'applied' as const, since: '2026-05-20T00:00:00Z' },
      ],
    },
    'GET /v1/restatements': { restatements: [BAR, { ...BAR, adjustment: null }] },
  }

  test('lists splits with what keeps them, and bars with what they were', async () => {
    const { status, out, asked } = await run(['aapl', '--timeframe', '1MIN', '--since', '2026-11-01'], told)
    expect(status).toBe(0)
    expect(out).toMatch(
      /7 │ AAPL\.NASDAQ │ 1-MINUTE-LAST │ regular │ +0\.25 │ 2026-11-19 00:00 .* collecting │ 3 of 10 │/,
    )
    expect(out).toMatch(/6 │ AAPL\.NASDAQ .* abandoned +│/)
    const told7 = 'Split 7: The gateway took too long.\n'
    expect(out).toContain(
      `${told7}${told7.replace('7', '6')}Split 5: what starts before 2026-05-20 00:00 stays as it was.\n`,
    )
    expect(out).toMatch(/2026-11-18 15:00 │ +400 404 396 402 │ 100 101 99 100\.5 │ 2026-11-20 10:00 │ +7 │/)
    expect(asked).toEqual([
      'GET /v1/adjustments instrument=aapl limit=20 spec=1MIN',
      'GET /v1/restatements instrument=aapl limit=20 since=2026-11-01 spec=1MIN',
    ])
  })

  test('gives them as the interface does, and says where there are none', async () => {
    const { out } = await run(['--json'], told)
    expect(JSON.parse(out)).toEqual({
      ...told['GET /v1/adjustments'],
      ...told['GET /v1/restatements'],
    })
    const none = await run([], {
      'GET /v1/adjustments': { adjustments: [] },
      'GET /v1/restatements': { restatements: [] },
    })
    expect(none.out).toBe('IBKR has told nothing anew.\n')
  })

  test('gives up a split, and says what that means', async () => {
    const { status, out, asked } = await run(['abandon', '7'], {
      'POST /v1/adjustments/7/abandon': { ...SPLIT, state: 'abandoned' },
    })
    expect([status, asked]).toEqual([0, ['POST /v1/adjustments/7/abandon']])
    expect(out).toBe(
      'Split 7 is given up: what is stored of AAPL.NASDAQ 1-MINUTE-LAST, regular hours, before 2026-11-19 00:00 stays as it was.\n',
    )
    expect(await run(['abandon', '8'], {})).toMatchObject({ status: 1, err: 'tidegate: No.\n' })
  })
})
