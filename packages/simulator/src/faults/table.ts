import type { Faults } from '../faults.ts'

/** What values a fault takes: on or off, a whole number, one of some words, a list of ids or of symbols, or a refusal. */
export type FaultKind = 'switch' | 'count' | 'choice' | 'ids' | 'symbols' | 'refusal'

export interface FaultRow {
  readonly name: keyof Faults
  readonly kind: FaultKind
  /** The words of a choice; the first is the default. */
  readonly words?: readonly string[]
  readonly about: string
}

const row = (name: keyof Faults, kind: FaultKind, about: string, words?: readonly string[]): FaultRow => ({
  name,
  kind,
  about,
  ...(words ? { words } : {}),
})

/** Every fault, as a flag or an admin names it. */
export const FAULTS: readonly FaultRow[] = [
  row('delayMs', 'count', 'every reply waits so many milliseconds'),
  row('silentHistory', 'switch', 'historical requests get no answer'),
  row('emptyHistory', 'count', 'the next N requests for bars or ticks get an empty reply'),
  row('emptyViolations', 'switch', 'a pacing violation gets an empty reply, not its error'),
  row('dropMidReply', 'count', 'the next N historical replies break off halfway, and the socket closes'),
  row('refuseHistory', 'refusal', 'the next N historical requests get error 162 with a text'),
  row('refuse', 'refusal', 'the next N requests for data get an error'),
  row('halfOpen', 'switch', 'connections stand, but nothing is said any more'),
  row('frames', 'choice', 'how bytes leave: a message a write, every byte its own, or messages together', [
    'whole',
    'split',
    'merged',
  ]),
  row('lost', 'switch', 'no connectivity to IBKR (1100): nothing that needs it is answered'),
  row('hmds', 'choice', 'the historical farm, when broken (2105), is silent or refuses with 162', [
    'ok',
    'silent',
    'refusing',
  ]),
  row('secdefBroken', 'switch', 'the farm of contract definitions is broken (2157): silent'),
  row('marketBroken', 'switch', 'the market data farm is broken (2103): new subscriptions are silent'),
  row('loggedOut', 'choice', 'the login has expired: new connections get no answer, or no account', [
    'no',
    'silent',
    'no-accounts',
  ]),
  row('competing', 'switch', 'another session holds the login: 162 for history, 10197 for live data'),
  row('heldIds', 'ids', 'client ids that are in use (326)'),
  row('unsubscribed', 'symbols', 'symbols without a market data subscription: 354 or delayed quotes, all else refused'),
  row('partlySubscribed', 'symbols', 'symbols whose quotes lack bid and ask, behind notice 10090'),
  row('false200', 'count', 'the next N requests that name a contract get a false error 200'),
  row('upToTheSecond', 'switch', 'notice 2188 comes before bars'),
  row('noVolume', 'switch', 'bars have -1 for volume, average and count'),
  row('rthLeak', 'switch', 'durations in seconds leak bars outside regular hours'),
  row('overlapBars', 'count', 'so many bars from before the window come with every reply'),
  row('doubleEdges', 'switch', 'the first and last bar of a reply come twice'),
]
