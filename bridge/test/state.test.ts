import { lastExpiryMs, resetAt, TidegateError } from '@tidegate/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isDoubtful, type Need, obstacleOf, phaseOf } from '../src/readiness.ts'
import { COMPETING, FIRST_STATE, type LoginEvent, type LoginState, reduce } from '../src/state.ts'

/** Wednesday noon in New York: no reset of any server, no expiry near. */
const NOON = Date.parse('2026-04-08T16:00:00Z')
const MINUTE = 60_000
const UP: LoginEvent = { type: 'connected', accounts: ['DU1234567'] }
const notice = (code: number, text = ''): LoginEvent => ({ type: 'notice', code, text })
const ended = (kind: 'timeout' | 'disconnected' | 'conflict', code?: number): LoginEvent => ({
  type: 'ended',
  error: new TidegateError(kind, `It ended by ${kind}.`, { code }),
})
const competing: LoginEvent = {
  type: 'competing',
  error: new TidegateError('competing-session', 'Another session.', { code: 10197 }),
}
const HISTORY_BROKEN = notice(2105, 'HMDS data farm connection is broken:ushmds')
const SECDEF_BROKEN = notice(2157, 'Sec-def data farm connection is broken:secdefnj')
const HISTORY_OK = notice(2106, 'HMDS data farm connection is OK:ushmds')

/** The state after events, each at its minute after noon (or one after the other, a minute each). */
function after(events: readonly LoginEvent[], startMs = NOON): LoginState {
  return events.reduce((state, event, i) => reduce(state, event, startMs + i * MINUTE), FIRST_STATE)
}
const stands = (state: LoginState, atMs = NOON, need?: Need) => obstacleOf(state, {}, atMs, need)?.kind ?? 'ready'
const phase = (state: LoginState, atMs = NOON) => phaseOf(state, obstacleOf(state, {}, atMs))

describe('the state of a login', () => {
  it('goes from connecting over handshaking to ready, and back when the connection ends', () => {
    expect([phase(FIRST_STATE), stands(FIRST_STATE)]).toEqual(['connecting', 'disconnected'])
    expect(phase(after([{ type: 'handshaking' }]))).toBe('handshaking')
    const up = after([{ type: 'handshaking' }, UP])
    expect([phase(up), stands(up), up.epoch, up.attempts]).toEqual(['ready', 'ready', 1, 0])
    const down = after([{ type: 'handshaking' }, UP, ended('disconnected')])
    expect([phase(down), stands(down), down.attempts, down.accounts]).toEqual(['connecting', 'disconnected', 1, []])
    expect(obstacleOf(down, {}, NOON)).toMatchObject({ message: 'It ended by disconnected.', retryAfterMs: 30_000 })
  })

  it.each([1100, 2110])('is degraded while %i stands, until 1101 or 1102, or a probe says the contrary', (code) => {
    const cut = after([UP, notice(code)])
    expect([phase(cut), stands(cut), stands(cut, NOON, 'definition'), stands(cut, NOON, 'login')]).toEqual([
      'degraded',
      'disconnected',
      'disconnected',
      'ready',
    ])
    for (const back of [notice(1101), notice(1102), { type: 'probed', kind: 'history' } as const]) {
      expect(stands(after([UP, notice(code), back]))).toBe('ready')
    }
    expect(stands(after([UP, notice(code), HISTORY_OK]))).toBe('disconnected')
    expect(after([UP, notice(code), notice(code)]).cutOff).toEqual({ code, sinceMs: NOON + MINUTE })
  })

  it('counts what made subscriptions void: a new connection and 1101, not 1102', () => {
    expect(after([UP, notice(1100), notice(1102)]).epoch).toBe(1)
    expect(after([UP, notice(1100), notice(1101)]).epoch).toBe(2)
    expect(after([UP, ended('disconnected'), UP]).epoch).toBe(2)
  })

  it('holds history while its farm is broken, and nothing else', () => {
    const broken = after([UP, HISTORY_BROKEN])
    expect([phase(broken), stands(broken), stands(broken, NOON, 'definition')]).toEqual([
      'degraded',
      'farm-down',
      'ready',
    ])
    expect(obstacleOf(broken, {}, NOON)).toMatchObject({ code: 2105, retryAfterMs: 30_000 })
    for (const [code, text] of [
      [2106, 'HMDS data farm connection is OK:ushmds'],
      [2107, 'HMDS data farm connection is inactive but should be available upon demand.ushmds'],
    ] as const) {
      expect(stands(after([UP, HISTORY_BROKEN, notice(code, text)]))).toBe('ready')
    }
    const proven = after([UP, HISTORY_BROKEN, { type: 'probed', kind: 'history' }])
    expect([stands(proven), phase(proven)]).toEqual(['ready', 'degraded'])
    expect(stands(reduce(proven, notice(2106, 'HMDS data farm connection is OK:euhmds'), NOON))).toBe('ready')
  })

  it('holds definitions while theirs is broken, and doubts an unknown contract then', () => {
    const broken = after([UP, SECDEF_BROKEN])
    expect([stands(broken), stands(broken, NOON, 'definition'), isDoubtful(broken)]).toEqual([
      'ready',
      'farm-down',
      true,
    ])
    const proven = after([UP, SECDEF_BROKEN, { type: 'probed', kind: 'definition' }])
    expect([stands(proven, NOON, 'definition'), phase(proven), isDoubtful(proven)]).toEqual([
      'ready',
      'degraded',
      false,
    ])
    // Each kind proves itself alone, and a notice of after the proof counts again.
    expect(isDoubtful(after([UP, SECDEF_BROKEN, { type: 'probed', kind: 'history' }]))).toBe(true)
    expect(isDoubtful(reduce(proven, SECDEF_BROKEN, NOON + 3 * MINUTE))).toBe(true)
    const cut = after([UP, notice(1100), { type: 'probed', kind: 'definition' }])
    expect(stands(cut, NOON, 'definition')).toBe('disconnected')
    expect(isDoubtful(after([UP, notice(1100)]))).toBe(true)
    expect(isDoubtful(after([UP, HISTORY_BROKEN]))).toBe(false)
  })

  it('knows since when a farm is as it is, and forgets all farms with the connection', () => {
    const state = after([
      UP,
      HISTORY_BROKEN,
      HISTORY_BROKEN,
      notice(2103, 'Market data farm connection is broken:usfarm'),
    ])
    expect([...state.farms.values()]).toEqual([
      { name: 'ushmds', kind: 'history', state: 'broken', since: new Date(NOON + MINUTE).toISOString() },
      { name: 'usfarm', kind: 'market', state: 'broken', since: new Date(NOON + 3 * MINUTE).toISOString() },
    ])
    expect(reduce(state, ended('disconnected'), NOON).farms.size).toBe(0)
  })

  it('takes history for dead when a probe finds it so, until anything is answered', () => {
    const silent = after([UP, { type: 'silent' }, { type: 'silent' }])
    expect([stands(silent), phase(silent), silent.silentSinceMs]).toEqual(['farm-down', 'degraded', NOON + MINUTE])
    for (const back of [{ type: 'answered' }, { type: 'probed', kind: 'history' }, HISTORY_OK, UP] as const) {
      expect(stands(reduce(silent, back, NOON))).toBe('ready')
    }
  })

  it('ignores codes that say nothing of it', () => {
    const up = after([UP])
    for (const code of [2119, 2188, 10999, 326]) expect(reduce(up, notice(code, 'anything'), NOON)).toEqual(up)
  })
})

describe('another session of the login', () => {
  it('pauses it for a minute, and twice as long each time, up to a quarter of an hour', () => {
    let state = after([UP])
    let atMs = NOON
    const pauses: number[] = []
    for (let i = 0; i < 6; i++) {
      state = reduce(state, competing, atMs)
      // What was open is refused as well.
      expect(reduce(state, competing, atMs + 1)).toBe(state)
      const error = obstacleOf(state, {}, atMs)
      expect([error?.kind, error?.code, phase(state, atMs)]).toEqual(['competing-session', 10197, 'competing'])
      pauses.push((error?.retryAfterMs ?? 0) / MINUTE)
      atMs += error?.retryAfterMs ?? 0
      expect(stands(state, atMs - 1)).toBe('competing-session')
      expect(stands(state, atMs)).toBe('ready')
    }
    expect(pauses).toEqual([1, 2, 4, 8, 15, 15])
    expect(reduce(state, { type: 'answered' }, atMs).competing).toBeUndefined()
  })

  it('is not over by an answer that was on its way', () => {
    const paused = reduce(after([UP]), competing, NOON)
    expect(stands(reduce(paused, { type: 'answered' }, NOON + 1), NOON + 1)).toBe('competing-session')
    expect(COMPETING.firstMs).toBe(MINUTE)
  })

  it('outlives the connection', () => {
    const paused = reduce(after([UP]), competing, NOON)
    const back = reduce(reduce(paused, ended('disconnected'), NOON + 1), UP, NOON + 2)
    expect(stands(back, NOON + 3)).toBe('competing-session')
  })
})

describe('a login that has gone', () => {
  const sunday = Date.parse('2026-04-12T05:00:00Z')

  it.each(['timeout', 'disconnected'] as const)('on Sunday: a gateway that says nothing (%s) needs a person', (how) => {
    for (const lastMs of [sunday - MINUTE, sunday + MINUTE]) {
      const state = [UP, ended('disconnected'), ended(how)].reduce(
        (before, event, i) => reduce(before, event, lastMs + i * MINUTE),
        FIRST_STATE,
      )
      const muteMs = lastMs + 2 * MINUTE
      // No longer than a restart takes.
      expect(stands(state, muteMs + 2 * MINUTE - 1)).toBe('disconnected')
      const error = obstacleOf(state, {}, muteMs + 2 * MINUTE)
      expect(error?.kind).toBe('login-required')
      expect(error?.message).toMatch(/every Sunday at 01:00 New York time\. Log in .* second factor; .* by itself\.$/)
      expect(error?.retryAfterMs).toBeUndefined()
      expect(phase(state, muteMs + 2 * MINUTE)).toBe('login-required')
    }
  })

  it('is not assumed where nobody listens at all, nor where the login stood after Sunday', () => {
    const refused = [UP, ended('disconnected', 502), ended('disconnected', 502)].reduce(
      (before, event, i) => reduce(before, event, sunday - 2 * MINUTE + i * MINUTE),
      FIRST_STATE,
    )
    expect(stands(refused, sunday + MINUTE)).toBe('disconnected')
    const later = after([UP, ended('timeout'), ended('timeout')], sunday + 61 * MINUTE)
    expect(stands(later, sunday + 67 * MINUTE)).toBe('disconnected')
  })

  it('on any day: a gateway that says nothing for ten minutes needs a person, one in a reset does not', () => {
    const mute = after([ended('timeout')])
    expect(stands(mute, NOON + 10 * MINUTE - 1)).toBe('disconnected')
    expect(obstacleOf(mute, {}, NOON + 10 * MINUTE)).toMatchObject({
      kind: 'login-required',
      message: expect.stringContaining('has said nothing since 2026-04-08T16:00:00.000Z. Log in at the gateway’s own'),
    })
    const night = Date.parse('2026-04-09T03:50:00Z')
    const restarting = after([ended('timeout')], night)
    expect(obstacleOf(restarting, {}, night + 20 * MINUTE)).toMatchObject({
      kind: 'disconnected',
      message: expect.stringContaining("It is IBKR's nightly reset, until 2026-04-09T04:45:00.000Z"),
    })
    expect(stands(restarting, night + 60 * MINUTE)).toBe('login-required')
  })

  it('is back as soon as an account is listed', () => {
    expect(stands(after([ended('timeout'), UP]), NOON + 60 * MINUTE)).toBe('ready')
    const none = after([{ type: 'connected', accounts: [] }])
    expect([stands(none), phase(none)]).toEqual(['login-required', 'login-required'])
  })
})

describe('resets of IBKR’s servers', () => {
  it.each([
    ['Sunday to Thursday at 23:45', '2026-04-09T03:45:00Z', 'nightly', '2026-04-09T04:45:00Z'],
    ['past midnight', '2026-04-09T04:44:59Z', 'nightly', '2026-04-09T04:45:00Z'],
    ['Friday at 23:00', '2026-04-11T03:00:00Z', 'Friday’s', '2026-04-11T07:00:00Z'],
    ['Saturday before 03:00', '2026-04-11T06:59:59Z', 'Friday’s', '2026-04-11T07:00:00Z'],
    ['Saturday at 23:45', '2026-04-12T03:45:00Z', 'nightly', '2026-04-12T04:45:00Z'],
    ['05:45 in Europe, summer', '2026-04-08T03:50:00Z', 'nightly', '2026-04-08T04:45:00Z'],
    [
      '05:45 in Europe, while the two change their clocks apart',
      '2026-03-18T05:00:00Z',
      'European',
      '2026-03-18T05:45:00Z',
    ],
  ])('%s', (_, at, name, end) => {
    expect(resetAt(Date.parse(at))).toMatchObject({ name, endMs: Date.parse(end) })
  })

  it.each(['2026-04-08T16:00:00Z', '2026-04-09T03:44:59Z', '2026-04-09T04:45:00Z', '2026-04-11T02:59:59Z'])(
    'none at %s',
    (at) => {
      expect(resetAt(Date.parse(at))).toBeUndefined()
    },
  )

  it('end every login on Sunday at 01:00 in New York', () => {
    expect(lastExpiryMs(NOON)).toBe(Date.parse('2026-04-05T05:00:00Z'))
  })
})

it('whatever happens in whatever order, the state makes sense', () => {
  const event = fc.oneof(
    fc.constantFrom<LoginEvent>(
      { type: 'handshaking' },
      UP,
      { type: 'connected', accounts: [] },
      ended('timeout'),
      ended('disconnected'),
      ended('disconnected', 502),
      ended('conflict', 326),
      competing,
      { type: 'answered' },
      { type: 'probed', kind: 'history' },
      { type: 'probed', kind: 'definition' },
      { type: 'silent' },
      HISTORY_BROKEN,
      HISTORY_OK,
    ),
    fc
      .constantFrom(1100, 1101, 1102, 2103, 2104, 2108, 2110, 2157, 2158, 2119, 10999)
      .map((code) => notice(code, 'x:farm')),
  )
  const needs: Need[] = ['login', 'definition', 'history']
  fc.assert(
    fc.property(fc.array(fc.tuple(event, fc.nat({ max: 3_600_000 })), { maxLength: 40 }), (events) => {
      let state = FIRST_STATE
      let atMs = NOON
      for (const [one, ms] of events) {
        const before = state
        atMs += ms
        state = reduce(state, one, atMs)
        expect(state.epoch).toBeGreaterThanOrEqual(before.epoch)
        expect(state.attempts === 0 || state.connection !== 'up').toBe(true)
        const errors = needs.map((need) => obstacleOf(state, {}, atMs, need))
        // What a login can't do at all, none of its servers can.
        if (errors[0]) expect(errors.map((error) => error?.kind)).toEqual(errors.map(() => errors[0]?.kind))
        for (const error of errors) {
          if (error && error.kind !== 'login-required') expect(error.retryAfterMs).toBeGreaterThan(0)
        }
        if (phaseOf(state, errors[2]) === 'ready') expect(errors[2]).toBeUndefined()
      }
    }),
  )
})
