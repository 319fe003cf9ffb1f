import { TidegateError } from '@tidegate/core'
import type { GatewayHistory, GatewaySchedule } from '../connection.ts'
import { sendHistory, unexplained } from './bars.ts'
import { isoDate, localSec } from './time.ts'
import type { LocalSession, Wire } from './wire.ts'

/** IBKR's own schedule, in UTC. */
export function askSessions(
  wire: Wire,
  request: Pick<GatewayHistory, 'contract' | 'regularHours' | 'end' | 'duration'>,
  signal: AbortSignal,
): Promise<GatewaySchedule> {
  return wire.requests.open(
    signal,
    (resolve, reject) => ({
      schedule(zone, sessions) {
        if (sessions.length === 0) return reject(unexplained('sessions'))
        try {
          resolve({ zone, sessions: sessions.map((one) => inUtc(one, zone)), empty: false })
        } catch (cause) {
          reject(
            new TidegateError('internal', `The gateway's sessions (zone "${zone}") can not be read: ${cause}`, {
              cause,
            }),
          )
        }
      },
      // Bars, for a schedule, and as it was asked they are none.
      end: () => reject(unexplained('sessions')),
      notice: () => {},
      noData() {
        resolve({ zone: '', sessions: [], empty: true })
        return true
      },
      fail: reject,
    }),
    {
      send: (id) => sendHistory(wire, id, { ...request, barSize: '1 day', whatToShow: 'SCHEDULE' }),
      cancel: (id) => void wire.send(() => wire.ib.cancelHistoricalData(id)),
    },
  )
}

function inUtc({ date, start, end }: LocalSession, zone: string) {
  return { date: isoDate(date), start: localSec(start, zone), end: localSec(end, zone) }
}
