import { stepsOf } from '../market/rules.ts'
import type { FieldReader } from './fields.ts'
import { decimal } from './numbers.ts'
import type { Peer } from './peer.ts'
import { invalid } from './refusal.ts'

/** Message 91: the price increments of a rule (93), from each lower edge on; error 321 for an id that is none. */
export function reqMarketRule(peer: Peer, reader: FieldReader): void {
  const ruleId = reader.integer()
  const steps = stepsOf(ruleId)
  if (steps) {
    const rows = steps.flatMap(({ lowEdge, increment }) => [decimal(lowEdge), decimal(increment)])
    peer.send([93, ruleId, steps.length, ...rows])
    return
  }
  const { code, message } = invalid(`Market rule id ${ruleId} is unknown.`)
  peer.error(-1, code, message)
}
