import type { AdjustmentsAnswer, SeriesAnswer, StatusAnswer } from '@tidegate/functions'
import type { BridgeStatus } from '@tidegate/relay'
import { describe, expect, test } from 'vitest'
import { NOW_MS, tidegate } from './command.ts'

const GATEWAY: BridgeStatus['gateway'] = {
  ...{ host: '10.0.0.5', port: 4001, state: 'ready', phase: 'ready', mode: 'live', simulated: false },
  ...{ accounts: ['U•••••67'], farms: [] },
}
const PACING: BridgeStatus['pacing'] = {
  ...{ open: 3, maxOpen: 32, queued: 2, queuedBy: { interactive: 0, scheduled: 2, backfill: 0 } },
  ...{ messagesInLastSecond: 1, maxMessagesPerSecond: 45 },
  ...{ left: { messages: 44, small: 60, open: 29 }, heldMs: { messages: 0, small: 0 } },
}
const BRIDGE: BridgeStatus = { gateway: GATEWAY, pacing: PACING }
const LOGGED_OUT = {
  ...BRIDGE,
  gateway: {
    ...GATEWAY,
    state: 'down',
    phase: 'login-required',
    reason: 'A person has to log in.',
    lastUpAt: '2026-11-20T14:02:07.531Z',
  },
} as const
const SPLIT: AdjustmentsAnswer['adjustments'][number] = {
  ...{ id: 7, instrumentId: 'AAPL.NASDAQ', spec: '1-MINUTE-LAST', hours: 'regular', ratio: 0.25, state: 'collecting' },
  ...{ since: null, before: '2026-11-19T00:00:00Z', foundAt: '2026-11-20T09:00:00Z', endedAt: null },
  ...{ chunks: { open: 7, done: 3, failed: 0 }, error: null },
}

/** `status`, or another command, of a Tidegate elsewhere, whose answers these are. */
function statusOf(
  bridge: StatusAnswer['bridge'],
  {
    adjustments = [],
    now = NOW_MS,
    json = false,
    command = 'status',
  }: Partial<AdjustmentsAnswer> & { now?: number; json?: boolean; command?: string } = {},
) {
  const status: StatusAnswer = { database: { ok: true }, bridge }
  const series: SeriesAnswer = { series: [] }
  const answers: Readonly<Record<string, object>> = {
    '/v1/status': status,
    '/v1/series': series,
    '/v1/adjustments': { adjustments },
    '/v1/datasets': { datasets: [] },
  }
  const env = { TIDEGATE_URL: 'http://tidegate.test', TIDEGATE_KEY: 'k'.repeat(32) }
  const fetch = async (request: Request) => Response.json(answers[new URL(request.url).pathname])
  return tidegate('/nowhere', [command, ...(json ? ['--json'] : [])], { env, fetch, now: () => now, columns: 200 })
}

test('datasets say what keeps the newest from coming', async () => {
  const away = await statusOf({ ok: true, ...LOGGED_OUT }, { command: 'datasets' })
  expect(away.out).toMatch(/\nNothing newer comes for now: login-required since .* A person has to log in\.\n$/)
  expect(away.status).toBe(0)
  expect((await statusOf({ ok: true, ...BRIDGE }, { command: 'datasets' })).out).not.toContain('Nothing newer')
})

describe('status', () => {
  test('of one bridge tells its login and what holds its requests', async () => {
    const well = await statusOf({ ok: true, ...BRIDGE })
    expect(well.status).toBe(0)
    expect(well.out).toMatch(/requests +│ 3 of 32 open, 2 waiting +│/)
    expect(well.out).not.toMatch(/login|reset|held|Collected again/)
    const pacing = { ...PACING, heldMs: { messages: 4000, small: 600_000 }, trouble: 'Redis is out of reach.' }
    const held = await statusOf({ ok: true, ...LOGGED_OUT, pacing })
    expect(held.status).toBe(1)
    expect(held.out).toMatch(/login +│ login-required since 2026-11-20 14:02:07 UTC: A person has to log in\. +│/)
    expect(held.out).toMatch(/held since the gateway complained: all for about 4 seconds, those of bars up to 30/)
    expect(held.out).toContain('about 10 minutes; held: Redis is out of reach.')
  })

  test('of several tells it of each', async () => {
    const paced = { ...PACING, heldMs: { messages: 0, small: 30_000 } }
    const { status, out } = await statusOf({
      ...{ ok: true, ...BRIDGE },
      bridges: [
        { name: 'one', ok: true, ...BRIDGE, pacing: paced },
        { name: 'two', ok: true, ...LOGGED_OUT },
        { name: 'three', ok: false, error: { kind: 'disconnected', message: 'Nobody answers at 10.0.0.7.' } },
      ],
    })
    expect(status).toBe(0)
    expect(out).toMatch(/bridge one +│ ready; 3 of 32 open, 2 waiting; held since .* 30 seconds for about 30 seconds/)
    expect(out).toMatch(
      /bridge two +│ login-required since 2026-11-20 14:02:07 UTC: A person has to log in; 3 of 32 open/,
    )
    expect(out).toMatch(/bridge three +│ Nobody answers at 10\.0\.0\.7\./)
  })

  test('tells a reset of IBKR’s servers, and for how long it is', async () => {
    const { out } = await statusOf({ ok: true, ...BRIDGE }, { now: Date.UTC(2026, 10, 20, 4, 50) })
    expect(out).toMatch(/reset +│ IBKR restarts its servers until 2026-11-20 05:45 UTC/)
  })

  test('tells what is being collected again after a split, and what keeps it', async () => {
    const error = { kind: 'internal', message: 'IBKR has nothing of it.' } as const
    const adjustments = [SPLIT, { ...SPLIT, id: 8, error }, { ...SPLIT, id: 6, state: 'applied' as const }]
    const { out } = await statusOf({ ok: true, ...BRIDGE }, { adjustments })
    expect(out).toMatch(/Collected again after a split; readers see these as they were/)
    expect(out).toContain('  7: AAPL.NASDAQ 1-MINUTE-LAST, regular hours, 3 of 10 chunks\n')
    expect(out).toContain('  8: AAPL.NASDAQ 1-MINUTE-LAST, regular hours, 3 of 10 chunks: IBKR has nothing of it.\n')
    expect(out).not.toContain('  6: ')
    const json = JSON.parse((await statusOf({ ok: true, ...BRIDGE }, { adjustments, json: true })).out)
    expect(json).toMatchObject({ bridge: { ok: true }, series: [], adjustments: [{ id: 7 }, { id: 8 }] })
  })
})
