import { applyNotice, type GatewayEvent, noticeText } from './events.ts'
import { FaultError } from './faults/read.ts'
import type { Listener } from './listener.ts'
import { ANY } from './truth.ts'
import { type Gateway, nowSec } from './wire/gateway.ts'

export interface Happenings {
  /** Makes it happen; resolves when it has, a restart when the port is closed. Rejects where the port cannot be opened again. */
  happen(event: GatewayEvent): Promise<void>
  /** Forgets a start that is still to come. */
  cancel(): void
}

/** Brings events over a gateway and its port. */
export function createHappenings(gateway: Gateway, listener: Listener): Happenings {
  const { faults, peers, log, market } = gateway
  let restart: NodeJS.Timeout | undefined

  function cancel(): void {
    clearTimeout(restart)
    restart = undefined
  }

  return {
    cancel,
    async happen(event) {
      if (event.type === 'start' || event.type === 'stop' || event.type === 'restart') cancel()
      switch (event.type) {
        case 'notice':
          applyNotice(faults, event.code)
          // Data lost: IBKR has forgotten every subscription, and a client must ask anew.
          if (event.code === 1101) for (const peer of peers) peer.live.stopAll()
          for (const peer of peers) peer.error(-1, event.code, noticeText(event.code, event.text))
          return
        case 'drop':
          return listener.drop()
        case 'start':
          await listener.open()
          return
        case 'stop':
          return listener.close()
        case 'restart':
          await listener.close()
          restart = setTimeout(() => {
            listener.open().catch((error: unknown) => log('The simulator could not come back.', error))
          }, event.downMs)
          return
        case 'logout':
          if (faults.loggedOut === 'no') faults.loggedOut = 'silent'
          return listener.drop()
        case 'login':
          // Whoever waited for an answer from the gateway that was logged out waits for ever: the gateway has started anew.
          faults.loggedOut = 'no'
          return listener.drop()
        case 'split': {
          const { conId, ratio, atSec = nowSec(gateway) } = event
          if (market.find({ ...ANY, conId }).length === 0) {
            throw new FaultError(`The market lists no contract with conId ${conId}; a split needs one.`)
          }
          market.events.splits = [...market.events.splits, { conId, ratio, atSec }]
          return
        }
        case 'settlement':
          market.events.settlementDelaySec = event.delaySec ?? undefined
          return
      }
    },
  }
}
