import { createRelays, type Relay } from '@tidegate/relay'
import type { MarketBar, TruthQuery } from '@tidegate/simulator'
import type { Dice } from './dice.ts'
import { type Gateway, openGateway } from './gateway.ts'
import type { Story } from './story.ts'
import type { Time } from './time.ts'
import type { Wires } from './wires.ts'

/** What a second login may not ask for, in some runs: by IBKR's word, or by ours, so that it is not asked. */
const UNSUBSCRIBED = [[], ['AAPL', 'ES', 'EUR'], ['MSFT', 'SPY', 'SPX']]
const MARKETS = [undefined, ['STK:*', 'CASH:*'], ['FUT:*', 'CONTFUT:*', 'IND:*', 'NASDAQ']]

/** One login or two, each with a gateway and a bridge of its own, and one market behind them. */
export interface Logins {
  readonly gateways: readonly Gateway[]
  /** The bridge, or whichever of two. */
  readonly relay: Relay
  /** What the market told of itself at an instant, epoch seconds: splits and dividends since then are none. */
  truthAt(atSec: number, query: TruthQuery): readonly MarketBar[]
  /** A listing splits, wherever it is asked for. */
  split(conId: number, ratio: number): Promise<void>
  close(): Promise<void>
}

interface Parts {
  readonly time: Time
  readonly dice: Dice
  readonly wires: Wires
  readonly story: Story
  readonly folder: string
  readonly isStormy: () => boolean
  readonly marketSeed: string
}

export async function openLogins({ story, dice, ...parts }: Parts): Promise<Logins> {
  const open = (name: string, unsubscribed: readonly string[]) =>
    openGateway({ ...parts, name, unsubscribed, dice: dice.fork(), log: story.log(name) })
  const first = await open('bridge', [])
  const isOne = dice.chance(0.6)
  const second = isOne ? undefined : await open('second', dice.pick(UNSUBSCRIBED))
  const gateways = second ? [first, second] : [first]
  const markets = dice.pick(MARKETS)
  const { now, timeout } = parts.time
  const relays = second && [
    { name: first.name, relay: first.relay },
    { name: second.name, relay: second.relay, ...(markets ? { markets } : {}) },
  ]
  if (second) story.tell(`two logins; the second may not ask for ${second.unsubscribed}; markets: ${markets ?? 'all'}`)
  return {
    gateways,
    relay: relays ? createRelays(relays, { now, timeout }) : first.relay,
    truthAt: first.truthAt,
    async split(conId, ratio) {
      await Promise.all(gateways.map(({ simulator }) => simulator.event({ type: 'split', conId, ratio })))
    },
    async close() {
      await Promise.all(gateways.map((gateway) => gateway.close()))
    },
  }
}
