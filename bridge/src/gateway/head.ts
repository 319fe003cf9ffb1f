import type { WhatToShow } from '@stoqey/ib'
import { TidegateError } from '@tidegate/core'
import type { GatewayHistory } from '../connection.ts'
import { toIbContract } from './details.ts'
import { headSec } from './time.ts'
import type { Wire } from './wire.ts'

const EPOCH_SECONDS = 2

/** Since when there is data of a kind, epoch seconds. `not-found` where IBKR says that there is none. */
export function askHead(
  { ib, requests, hand, send }: Wire,
  { contract, whatToShow, regularHours }: Pick<GatewayHistory, 'contract' | 'whatToShow' | 'regularHours'>,
  signal: AbortSignal,
): Promise<number> {
  const cancel = (id: number) => send(() => ib.cancelHeadTimestamp(id))
  return requests.open(
    signal,
    (resolve, reject, self) => ({
      head(text) {
        self.last()
        // It counts as open at IBKR until it is cancelled (ibkr-rules, "Pacing"), so it is answered when that has gone.
        void cancel(self.id).then(() => {
          try {
            resolve(headSec(text))
          } catch (cause) {
            reject(new TidegateError('internal', `The gateway's head timestamp can not be read: ${cause}`, { cause }))
          }
        })
      },
      notice: () => {},
      noData() {
        reject(new TidegateError('not-found', `IBKR has no ${whatToShow} history of this contract.`))
        return true
      },
      fail: reject,
    }),
    {
      send: (id) =>
        hand(() =>
          ib.reqHeadTimestamp(id, toIbContract(contract), whatToShow as WhatToShow, regularHours, EPOCH_SECONDS),
        ),
      cancel: (id) => void cancel(id),
    },
  )
}
