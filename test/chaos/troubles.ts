import type { Dice } from './dice.ts'
import type { Gateway } from './gateway.ts'

/** Something that goes wrong at the gateway, and what mends it. */
export interface Trouble {
  readonly name: string
  begin(): unknown
  end(): unknown
}

const NO_DATA = 'Historical Market Data Service error message:HMDS query returned no data: TEST'
const FLAKY = 'Historical Market Data Service error message:An unknown failure'

/** The troubles of the simulator's catalogue, each as bad as the dice have it. */
export function troublesOf({ name: at, simulator, unsubscribed }: Gateway, dice: Dice): readonly Trouble[] {
  const { faults, event } = simulator
  const set = (name: string, on: Partial<typeof faults>, off: Partial<typeof faults>): Trouble => ({
    name,
    begin: () => Object.assign(faults, on),
    end: () => Object.assign(faults, off),
  })
  const notice = (name: string, broken: number, mended: number): Trouble => ({
    name,
    begin: () => event({ type: 'notice', code: broken }),
    end: () => event({ type: 'notice', code: mended }),
  })
  const times = dice.whole(1, 4)
  const troubles: Trouble[] = [
    { name: 'drop', begin: () => event({ type: 'drop' }), end: () => {} },
    { name: 'restart', begin: () => event({ type: 'stop' }), end: () => event({ type: 'start' }) },
    { name: 'logout', begin: () => event({ type: 'logout' }), end: () => event({ type: 'login' }) },
    {
      name: 'logged out without accounts',
      async begin() {
        faults.loggedOut = 'no-accounts'
        await event({ type: 'drop' })
      },
      end: () => event({ type: 'login' }),
    },
    notice('cut off', 1100, dice.pick([1101, 1102])),
    notice('history broken', 2105, 2106),
    notice('definitions broken', 2157, 2158),
    {
      name: 'history refusing',
      async begin() {
        faults.hmds = 'refusing'
        await event({ type: 'notice', code: 2105 })
      },
      end: () => event({ type: 'notice', code: 2106 }),
    },
    set('history silently down', { hmds: 'silent' }, { hmds: 'ok' }),
    set('silent', { silentHistory: true }, { silentHistory: false }),
    {
      name: 'half-open',
      begin: () => Object.assign(faults, { halfOpen: true }),
      async end() {
        faults.halfOpen = false
        // It does not heal: whoever owns the gateway starts it anew.
        await event({ type: 'drop' })
      },
    },
    set('breaks off', { dropMidReply: times }, { dropMidReply: 0 }),
    set('silently empty', { emptyHistory: times }, { emptyHistory: 0 }),
    set('competing', { competing: true }, { competing: false }),
    set('client ids held', { heldIds: [1, 2] }, { heldIds: [] }),
    set('not subscribed', { unsubscribed: ['AAPL', 'ES', 'EUR', ...unsubscribed] }, { unsubscribed }),
    set('falsely not found', { false200: times }, { false200: 0 }),
    set('flaky', { refuseHistory: { times, text: FLAKY } }, { refuseHistory: undefined }),
    set('overlapping', { overlapBars: dice.whole(1, 9) }, { overlapBars: 0 }),
    set('edges twice', { doubleEdges: true }, { doubleEdges: false }),
    set('leaking hours', { rthLeak: true }, { rthLeak: false }),
    set('up to the second', { upToTheSecond: true }, { upToTheSecond: false }),
  ]
  return troubles.map((trouble) => ({ ...trouble, name: `${trouble.name}, at ${at}` }))
}

/**
 * IBKR says "no data" where there are some. Said of one window once it is not believed; of the same one twice it is, as it has
 * to be: so it happens once in a run, and is over before anybody asks again.
 */
export function falseNoData({ simulator: { faults } }: Gateway): Trouble {
  return {
    name: 'falsely no data',
    begin: () => Object.assign(faults, { refuseHistory: { times: 1, text: NO_DATA } }),
    end: () => Object.assign(faults, { refuseHistory: undefined }),
  }
}
