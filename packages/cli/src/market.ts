import { parseInstant } from '@tidegate/core'
import type { GatewayEvent } from '@tidegate/simulator'
import { InvalidArgumentError, Option } from 'commander'

/** Flags for what happens to the market's past. */
export function marketOptions(): Option[] {
  const group = 'Market events:'
  return [
    new Option('--split <conId:ratio[:instant]>', 'a split, so many new shares for one old, now or then; repeatable')
      .helpGroup(group)
      .argParser(split),
    new Option('--settlement-delay <seconds>', "how long after its session a future's daily close is settled")
      .helpGroup(group)
      .argParser(delay),
  ]
}

/** The same as events of a simulator that has just started. */
export function marketEventsOf(splits: readonly GatewayEvent[] = [], delaySec?: number): GatewayEvent[] {
  return [...splits, ...(delaySec === undefined ? [] : [{ type: 'settlement', delaySec } as const])]
}

function split(text: string, before: readonly GatewayEvent[] = []): readonly GatewayEvent[] {
  const [, conId, ratio, instant] = /^(\d{1,10}):(\d+(?:\.\d+)?)(?::(.+))?$/.exec(text) ?? []
  if (conId === undefined || !(Number(ratio) > 0)) {
    throw new InvalidArgumentError('Expected CONID:RATIO or CONID:RATIO:INSTANT such as 265598:4:2026-06-01T20:00Z.')
  }
  const at = instant === undefined ? {} : { atSec: parseInstant(instant) }
  return [...before, { type: 'split', conId: Number(conId), ratio: Number(ratio), ...at }]
}

function delay(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Expected a whole number of seconds.')
  return Number(text)
}
