import { nowSec } from './gateway.ts'
import { follow } from './live.ts'
import type { Peer } from './peer.ts'

/** What has not come by then does not come any more. Source: IBKR, snapshots of market data. */
const PATIENCE_SEC = 11

/**
 * Takes a snapshot: `tell` tells what there is at an instant (epoch seconds), and whether that is all. The end (57) comes
 * when it is, or eleven seconds after the request by the market's clock.
 */
export function takeSnapshot(peer: Peer, reqId: number, tell: (atSec: number) => boolean): void {
  const { gateway, live } = peer
  const startSec = nowSec(gateway)
  const end = () => peer.send([57, 1, reqId])
  if (tell(startSec)) {
    end()
    return
  }
  const finish = () => {
    if (live.stop('quotes', reqId)) end()
  }
  const stopTelling = follow(peer, reqId, (_fromSec, toSec) => {
    if (live.has('quotes', reqId) && tell(toSec)) finish()
  })
  // The gateway counts the seconds itself, whatever has become of the farm.
  const stopWaiting = gateway.pulse.onBeat(() => {
    if (nowSec(gateway) - startSec >= PATIENCE_SEC) finish()
  })
  live.start('quotes', reqId, () => {
    stopTelling()
    stopWaiting()
  })
}
