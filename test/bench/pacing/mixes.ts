import type { RuledRequest } from '@tidegate/bridge'

/** Requests of one kind, all there from the beginning. */
export interface Load {
  readonly name: string
  readonly rule: Omit<RuledRequest, 'contract' | 'exchange' | 'identity'>
  /** How many there are, and how long the gateway takes for one, milliseconds. */
  readonly count: number
  readonly lastsMs: number
}

export interface Mix {
  readonly name: string
  readonly loads: readonly Load[]
}

const TRADES = { whatToShow: 'TRADES' } as const
/** Ten-minute windows of a day, with the one that is used at its very beginning. */
const WINDOWS = 145
const DAY_SEC = 86_400

/** As many as 24 hours allow, by the rule that binds. */
const small: Load = {
  name: 'small',
  rule: { kind: 'bars', barSec: 5, ...TRADES },
  count: 60 * WINDOWS,
  lastsMs: 800,
}
const bidAsk: Load = {
  name: 'BID_ASK',
  rule: { kind: 'bars', barSec: 5, whatToShow: 'BID_ASK' },
  count: 30 * WINDOWS,
  lastsMs: 800,
}
const ticks: Load = { name: 'ticks', rule: { kind: 'ticks', ...TRADES }, count: 60 * WINDOWS, lastsMs: 500 }
/** 32 open at a time, each for so long: the open requests bind. */
const minutes: Load = {
  name: 'minutes',
  rule: { kind: 'bars', barSec: 60, ...TRADES },
  count: 4 * DAY_SEC,
  lastsMs: 8000,
}
/** Answered fast: the message rate binds, for an hour. */
const fastMinutes: Load = { ...minutes, count: 45 * 3600, lastsMs: 300 }

export const MIXES: readonly Mix[] = [
  { name: 'small bars', loads: [small] },
  { name: 'BID_ASK', loads: [bidAsk] },
  { name: 'ticks', loads: [ticks] },
  { name: 'minute bars', loads: [minutes] },
  { name: 'minute bars answered fast, one hour', loads: [fastMinutes] },
  {
    name: 'all together',
    loads: [
      { ...small, count: 24 * WINDOWS },
      { ...bidAsk, count: 6 * WINDOWS },
      { ...ticks, count: 24 * WINDOWS },
      // Small requests hold places too, now and then.
      { ...minutes, count: 4 * DAY_SEC - 2000 },
    ],
  },
]
