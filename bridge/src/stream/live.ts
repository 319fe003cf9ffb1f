import { subscriptionSchema } from '@tidegate/relay'
import type { GatewayLive } from '../connection.ts'
import { checkedBody } from '../kinds/kind.ts'
import { identityOf, ruleOf } from '../kinds/rule.ts'
import type { RuledRequest } from '../pacing/rules.ts'
import { MARKET_DATA_TYPES } from '../settings.ts'
import type { Live } from './keeper.ts'

/** A subscription that was asked for. Throws `invalid`, naming every fault, where it is none. */
export function prepareLive(body: unknown): Live {
  const { priority, waitMs, caller, ...asked } = checkedBody(subscriptionSchema, body)
  const request = inGatewayWords(asked)
  const identity = JSON.stringify(['live', request])
  const rule = ruleFor(request)
  return {
    request,
    identity,
    job: { priority, waitMs, caller, rule: rule && { ...rule, identity: identityFor(asked, request) } },
  }
}

/** To IBKR, bars that are kept up to date are the same request as the bars up to now. */
function identityFor(asked: Asked, request: GatewayLive): string {
  if (request.kind !== 'bars') return identityOf('live', request)
  const { kind: _, ...bars } = asked
  return identityOf('bars', bars)
}

type Asked = Omit<ReturnType<typeof subscriptionSchema.parse>, 'priority' | 'waitMs' | 'caller'>

function inGatewayWords(asked: Asked): GatewayLive {
  const all = asked as ReturnType<typeof subscriptionSchema.parse>
  const { kind, contract } = all
  if (kind === 'ticks') return { kind, contract, tickType: all.tickType }
  if (kind === 'quotes') {
    const { marketDataType } = all
    return { kind, contract, marketDataType: marketDataType && MARKET_DATA_TYPES[marketDataType] }
  }
  const { whatToShow, hours } = all
  const regularHours = hours === 'regular'
  if (kind === 'realtimeBars') return { kind, contract, whatToShow: all.whatToShow, regularHours }
  return { kind, contract, barSize: all.barSize, whatToShow, regularHours, duration: all.duration }
}

/** Live 5-second bars count among the small requests (ibkr-rules, "Pacing"); ticks and quotes for the message rate alone. */
function ruleFor(request: GatewayLive): Omit<RuledRequest, 'identity'> | undefined {
  if (request.kind === 'realtimeBars') return ruleOf('realtime', request.contract, request.whatToShow)
  if (request.kind === 'bars') return ruleOf('bars', request.contract, request.whatToShow, request.barSize)
  return undefined
}
