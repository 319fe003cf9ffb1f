import type { Contract } from '@tidegate/core'
import type { RuledRequest } from '../pacing/rules.ts'

const SECONDS: Readonly<Record<string, number>> = {
  ...{ secs: 1, min: 60, mins: 60, hour: 3600, hours: 3600 },
  ...{ day: 86_400, week: 7 * 86_400, month: 31 * 86_400 },
}

/** Nominal length of one of IBKR's bar sizes, seconds. */
export function barSec(barSize: string): number {
  const [count, unit = ''] = barSize.split(' ')
  return Number(count) * (SECONDS[unit] ?? 0)
}

/** What IBKR's rules look at of a request for this contract. */
export function ruleOf(
  kind: RuledRequest['kind'],
  contract: Contract,
  whatToShow: string,
  barSize?: string,
): Omit<RuledRequest, 'identity'> {
  const { exchange, conId, ...named } = contract
  return {
    kind,
    contract: conId === undefined ? JSON.stringify(named) : String(conId),
    exchange,
    whatToShow,
    barSec: barSize === undefined ? undefined : barSec(barSize),
  }
}
