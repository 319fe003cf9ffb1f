import { tmpdir } from 'node:os'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { begin, type RunningCommand, tidegate } from './command.ts'

let running: RunningCommand | undefined
afterEach(async () => {
  const ending = running
  running = undefined
  ending?.stop()
  expect((await ending?.outcome)?.status ?? 0).toBe(0)
})

/** The faults and the market of a simulator started with these flags, as its admin interface tells them. */
async function stateWith(...flags: string[]): Promise<{ faults: unknown; market: unknown }> {
  const simulator = begin(tmpdir(), ['simulate', '--port', '0', '--admin-port', '0', ...flags])
  running = simulator
  await vi.waitUntil(() => simulator.said().includes('Stop it with Ctrl-C'))
  const url = /http:\/\/127\.0\.0\.1:\d+\/faults/.exec(simulator.said())?.[0] ?? ''
  return (await fetch(url)).json()
}

describe('simulate', () => {
  test('takes faults as flags, and serves them where it says', async () => {
    const { faults } = await stateWith(
      ...['--delay', '7', '--hmds', 'refusing', '--half-open', '--drop-mid-reply', '2', '--held-ids', '1,2'],
      ...['--false200', '3', '--refuse', '2:10187:not: allowed', '--frames', 'split'],
    )
    expect(faults).toMatchObject({
      delayMs: 7,
      hmds: 'refusing',
      halfOpen: true,
      dropMidReply: 2,
      heldIds: [1, 2],
      false200: 3,
      refuse: { times: 2, code: 10_187, text: 'not: allowed' },
      frames: 'split',
      lost: false,
    })
  })

  test('takes splits and the settlement of futures', async () => {
    const { market } = await stateWith(
      ...['--now', '2026-04-08T18:00Z', '--split', '265598:4:2026-06-01T20:00Z', '--split', '8314:0.5'],
      ...['--settlement-delay', '3600'],
    )
    expect(market).toEqual({
      splits: [
        { conId: 265598, ratio: 4, atSec: Date.UTC(2026, 5, 1, 20) / 1000 },
        { conId: 8314, ratio: 0.5, atSec: Date.UTC(2026, 3, 8, 18) / 1000 },
      ],
      settlementDelaySec: 3600,
    })
  })

  test('a split of what is not listed is an error in words', async () => {
    const { status, err } = await tidegate(tmpdir(), ['simulate', '--port', '0', '--split', '1:2'])
    expect(err).toContain('The market lists no contract with conId 1')
    expect(status).toBe(1)
  })

  test('lists every fault in its help', async () => {
    const { out, status } = await tidegate(tmpdir(), ['simulate', '--help'])
    expect(status).toBe(0)
    for (const flag of ['--delay <n>', '--hmds <ok|silent|refusing>', '--rth-leak', '--refuse <times:code:text>']) {
      expect(out).toContain(flag)
    }
  })

  test.each([
    [['--hmds', 'gone'], /The fault hmds is "gone"; expected ok, silent, refusing/],
    [['--overlap-bars', 'x'], /The fault overlapBars is "x"; expected a whole number/],
    [['--refuse', 'x'], /expected times:code:text/],
    [['--split', '265598'], /Expected CONID:RATIO/],
    [['--pacing', 'mild'], /Allowed choices are strict, lenient/],
  ])('misuse is status 2: %j', async (flags, message) => {
    const { status, err } = await tidegate(tmpdir(), ['simulate', ...flags])
    expect(err).toMatch(message)
    expect(status).toBe(2)
  })
})
