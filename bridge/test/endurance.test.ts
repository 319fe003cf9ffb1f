import { createRelay } from '@tidegate/relay'
import { afterEach, expect, it } from 'vitest'
import { createFakeClock, settled } from './clock.ts'
import { NOW_SEC } from './market.ts'
import { endAll, KEY, request, startBridge, startSimulator, until } from './rig.ts'

afterEach(endAll)

const MINUTE = 60_000
const HOURS = 8
/** How often something goes wrong, and for how long it stays so: both, for most, beyond any timeout. */
const EVERY_MINUTES = 6
const LASTS_MINUTES = 3
const STEPS_A_MINUTE = 6

/** Numbers of [0, 1) that look random and are the same in every run. */
function createDice(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}

it('eight hours of faults leave no handle, listener or timer behind', { timeout: 60_000 }, async () => {
  const clock = createFakeClock(NOW_SEC * 1000)
  const dice = createDice(7)
  const simulator = await startSimulator({ now: clock.now })
  const before = process.getActiveResourcesInfo().sort()
  const { bridge } = await startBridge(simulator.port, {
    clock,
    random: dice,
    settings: { requestTimeoutMs: 45_000, probeAfterMs: 5 * MINUTE },
  })
  const relay = createRelay({ url: 'http://bridge', key: KEY, fetch: bridge.fetch })
  const { faults } = simulator
  const notice = (code: number) => simulator.event({ type: 'notice', code })
  /** What goes wrong, and what mends it. */
  const troubles: readonly (readonly [string, () => unknown, () => unknown])[] = [
    ['drop', () => simulator.event({ type: 'drop' }), () => {}],
    ['restart', () => simulator.event({ type: 'stop' }), () => simulator.event({ type: 'start' })],
    ['cut off', () => notice(1100), () => notice(1101)],
    ['history broken', () => notice(2105), () => notice(2106)],
    ['definitions broken', () => notice(2157), () => notice(2158)],
    [
      'silent',
      () => Object.assign(faults, { silentHistory: true }),
      () => Object.assign(faults, { silentHistory: false }),
    ],
    ['half-open', () => Object.assign(faults, { halfOpen: true }), () => Object.assign(faults, { halfOpen: false })],
    ['mid-reply', () => Object.assign(faults, { dropMidReply: 2 }), () => Object.assign(faults, { dropMidReply: 0 })],
    ['competing', () => Object.assign(faults, { competing: true }), () => Object.assign(faults, { competing: false })],
    ['empty', () => Object.assign(faults, { emptyHistory: 2 }), () => Object.assign(faults, { emptyHistory: 0 })],
    ['split', () => Object.assign(faults, { frames: 'split' }), () => Object.assign(faults, { frames: 'whole' })],
    ['held id', () => Object.assign(faults, { heldIds: [1, 2] }), () => Object.assign(faults, { heldIds: [] })],
  ]
  const outcomes = new Map<string, number>()
  const count = (outcome: string) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
  const open = new Set<Promise<void>>()
  let mend: () => unknown = () => {}
  for (let minute = 0; minute < HOURS * 60; minute++) {
    if (minute % EVERY_MINUTES === 0) {
      const trouble = troubles[(minute / EVERY_MINUTES) % troubles.length]
      await trouble?.[1]()
      mend = trouble?.[2] ?? (() => {})
    }
    if (minute % EVERY_MINUTES === LASTS_MINUTES) await mend()
    const hangUp = new AbortController()
    const asked: Promise<void> = relay
      .bars(
        request({ duration: `${1 + (minute % 5)} D`, end: NOW_SEC - minute, waitMs: Math.floor(dice() * 2 * MINUTE) }),
        hangUp.signal,
      )
      .then(
        () => void count('ok'),
        ({ kind }: { kind: string }) => void count(kind),
      )
      .finally(() => open.delete(asked))
    open.add(asked)
    if (dice() < 0.1) hangUp.abort()
    // In steps, so that what goes over sockets comes between them.
    for (let step = 0; step < STEPS_A_MINUTE; step++) {
      await clock.advanceQuickly(MINUTE / STEPS_A_MINUTE)
      await settled(3)
    }
  }
  await mend()
  for (let i = 0; i < 60 && (open.size > 0 || bridge.status().state !== 'ready'); i++) await clock.advance(15_000)
  expect(open.size).toBe(0)
  expect(bridge.status()).toMatchObject({ state: 'ready', phase: 'ready' })
  // Enough was answered, and enough went wrong, for the eight hours to mean something.
  expect(outcomes.get('ok')).toBeGreaterThan(HOURS * 5)
  expect(outcomes.size).toBeGreaterThan(2)
  expect(outcomes.get('internal')).toBeUndefined()
  const closing = bridge.close()
  await clock.advance(MINUTE)
  await closing
  await clock.advance(MINUTE)
  expect(clock.pending).toBe(0)
  await until('the handles are those of before', () => {
    const now = process.getActiveResourcesInfo().filter((one) => one !== 'Timeout' && one !== 'Immediate')
    return now.length <= before.filter((one) => one !== 'Timeout' && one !== 'Immediate').length
  })
})
