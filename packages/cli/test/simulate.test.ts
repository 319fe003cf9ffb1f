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

/** The faults of a simulator started with these flags, as its admin interface tells them. */
async function faultsWith(...flags: string[]): Promise<Record<string, unknown>> {
  const simulator = begin(tmpdir(), ['simulate', '--port', '0', '--admin-port', '0', ...flags])
  running = simulator
  await vi.waitUntil(() => simulator.said().includes('Stop it with Ctrl-C'))
  const url = /http:\/\/127\.0\.0\.1:\d+\/faults/.exec(simulator.said())?.[0] ?? ''
  return (await (await fetch(url)).json()).faults
}

describe('simulate', () => {
  test('takes faults as flags, and serves them where it says', async () => {
    const faults = await faultsWith(
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
    [['--pacing', 'mild'], /Allowed choices are strict, lenient/],
  ])('misuse is status 2: %j', async (flags, message) => {
    const { status, err } = await tidegate(tmpdir(), ['simulate', ...flags])
    expect(err).toMatch(message)
    expect(status).toBe(2)
  })
})
