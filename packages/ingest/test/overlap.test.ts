import { parseInstant, type Window } from '@tidegate/core'
import { describe, expect, it } from 'vitest'
import { type Market, STOCKS } from './market.ts'
import { eachWorld } from './world.ts'

const at = parseInstant
const NOW = at('2026-04-01T12:00Z')
/** Open in the European morning. */
const MORNING: Market = { ...STOCKS, opensAt: 8 * 3600, lastsSec: 8.5 * 3600 }

const { world, open } = eachWorld(NOW)

/** The requests that one window takes, once the other is stored. */
async function askedBeside(stored: Window | undefined, window: Window, spec: string, market: Market) {
  await open({ market })
  for (const each of stored ? [stored, window] : [window]) {
    world.relay.asked.length = 0
    await world.ingest.start({ instruments: ['AAPL'], specs: [spec], hours: 'regular', window: each })
    await world.drain()
  }
  return world.relay.asked
}

const day = (date: string): Window => ({ start: at(date), end: at(date) + 86_400 })
const lengthOf = ({ duration = '' } = {}) => Number.parseInt(duration, 10)

describe('a request that reaches for what is stored behind its window', () => {
  it.each([
    ['1-MINUTE-LAST', MORNING, day('2026-03-02')],
    ['30-MINUTE-LAST', STOCKS, day('2026-03-02')],
    ['4-HOUR-LAST', STOCKS, { start: at('2026-02-18'), end: at('2026-03-03') }],
  ])('is no longer for open days that another chunk asks for: %s', async (spec, market, window) => {
    const [alone] = await askedBeside(undefined, window, spec, market)
    const [beside] = await askedBeside(day('2026-03-05'), window, spec, market)
    expect(beside).toMatchObject({ duration: alone?.duration, end: alone?.end })
  })

  it('may be a session longer, as over a weekend, and then needs no other to be proven', async () => {
    const [friday, monday] = [day('2026-03-06'), day('2026-03-09')]
    const [alone] = await askedBeside(undefined, friday, '30-MINUTE-LAST', MORNING)
    const [beside, ...others] = await askedBeside(monday, friday, '30-MINUTE-LAST', MORNING)
    expect(lengthOf(beside)).toBe(lengthOf(alone) + 1)
    expect(beside?.end).toBeGreaterThan(at('2026-03-09T08:00Z'))
    expect(others).toEqual([])
  })

  it('is a session longer at most, whatever the hour that opens behind a weekend', async () => {
    const [friday, monday] = [day('2026-03-06'), day('2026-03-09')]
    const more = new Set<number>()
    for (const hour of [0, 8, 14, 17]) {
      const market = { ...STOCKS, opensAt: hour * 3600 }
      const [alone] = await askedBeside(undefined, friday, '30-MINUTE-LAST', market)
      const [beside] = await askedBeside(monday, friday, '30-MINUTE-LAST', market)
      more.add(lengthOf(beside) - lengthOf(alone))
    }
    expect(more).toEqual(new Set([0, 1]))
  })
})
