import type { StatusAnswer } from '@tidegate/functions'
import type { BridgeStatus } from '@tidegate/relay'
import { expect, test } from 'vitest'
import { createStanding } from '../src/standing.ts'

const PACING: BridgeStatus['pacing'] = {
  ...{ open: 0, maxOpen: 32, queued: 0, queuedBy: { interactive: 0, scheduled: 0, backfill: 0 } },
  ...{ messagesInLastSecond: 0, maxMessagesPerSecond: 45 },
  ...{ left: { messages: 45, small: 60, open: 32 }, heldMs: { messages: 0, small: 0 } },
}
const READY: BridgeStatus['gateway'] = {
  ...{ host: '10.0.0.5', port: 4001, state: 'ready', phase: 'ready', mode: 'live', simulated: false },
  ...{ accounts: ['U•••••67'], farms: [] },
}
const AWAY = { ...READY, state: 'down', lastUpAt: '2026-11-24T12:24:56Z' } as const

function standing() {
  let bridge: StatusAnswer['bridge']
  const { take } = createStanding({ status: async () => ({ database: { ok: true }, bridge }) })
  return (next: StatusAnswer['bridge']) => {
    bridge = next
    return take()
  }
}
const of = (gateway: BridgeStatus['gateway']) => ({ ok: true, gateway, pacing: PACING }) as const

test('a gateway that goes, needs a person and comes back is told of once each', async () => {
  const after = standing()
  expect(await after(of(READY))).toEqual([])
  expect(await after(of({ ...AWAY, phase: 'handshaking', reason: 'It says nothing.' }))).toEqual([
    "The gateway can't be asked: handshaking since 2026-11-24 12:24:56 UTC: It says nothing.",
  ])
  expect(await after(of({ ...AWAY, phase: 'connecting', reason: 'It says nothing.' }))).toEqual([])
  expect(await after(of({ ...AWAY, phase: 'login-required', reason: 'Log in.' }))).toEqual([
    "The gateway can't be asked: login-required since 2026-11-24 12:24:56 UTC: Log in.",
  ])
  expect(await after(of(READY))).toEqual(['The gateway can be asked again.'])
  expect(await after(of(READY))).toEqual([])
})

test('so is a bridge that does not answer, and each of several gateways', async () => {
  const after = standing()
  const gone = { ok: false, error: { kind: 'disconnected', message: 'Nobody answers at 10.0.0.7.' } } as const
  expect(await after(gone)).toEqual(["The bridge can't be asked: Nobody answers at 10.0.0.7."])
  const several = [
    { name: 'one', ...of(READY) },
    { name: 'two', ...gone },
  ]
  expect(await after({ ...of(READY), bridges: several })).toEqual([
    'The bridge can be asked again.',
    "The gateway of bridge two can't be asked: Nobody answers at 10.0.0.7.",
  ])
})
