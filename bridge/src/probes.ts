import { type ContractDetails, type TidegateError, toTidegateError } from '@tidegate/core'
import type { Clock } from './clock.ts'
import type { Connection, GatewayHistory } from './connection.ts'
import type { Log } from './log.ts'
import { createProbe, type Finding } from './probe.ts'
import type { LoginEvent, Probed } from './state.ts'

/** A share that is traded everywhere, and known to every login. */
const CONTRACT = { symbol: 'AAPL', secType: 'STK', exchange: 'SMART', currency: 'USD' } as const
/** The smallest request to the history servers that is always answered: two daily bars. */
const BARS: GatewayHistory = {
  contract: CONTRACT,
  barSize: '1 day',
  whatToShow: 'TRADES',
  regularHours: true,
  end: undefined,
  duration: '2 D',
}

/** The probes of one login, of its history servers and of those of definitions. */
export interface Probes {
  /** The history servers have answered somebody, or the connection is new. */
  heard(): void
  /** A request of somebody to the history servers went unanswered. */
  missed(): void
  /** What stands against each kind of request of the connection that stands. */
  held(history: TidegateError | undefined, definition: TidegateError | undefined): void
  /** The connection is over. */
  stop(): void
}

export interface ProbesOptions {
  readonly clock: Clock
  /** Milliseconds, as `createProbe` takes them. */
  readonly afterMs: number
  readonly log: Log
  /** The connection that stands; throws where there is none or nothing may be asked. */
  readonly current: () => Connection
  /** Lets a question go when pacing allows it. */
  readonly paced: <T>(ask: () => Promise<T>) => Promise<T>
  readonly happen: (event: LoginEvent) => void
}

/** What the probes ask, and what is believed of the answers. */
export function createProbes({ clock, afterMs, log, current, paced, happen }: ProbesOptions): Probes {
  async function tryHistory(hangUp: AbortSignal): Promise<Finding> {
    try {
      await paced(async () => current().history(BARS, hangUp))
      return 'answered'
    } catch (cause) {
      const error = toTidegateError(cause)
      if (error.kind === 'timeout' && error.code === undefined) return 'silent'
      // Refused by the history servers themselves, so they are there.
      return error.kind === 'no-permission' ? 'answered' : 'unknown'
    }
  }

  /** Nothing but a contract proves that they are there: in an outage 200 is false, and silence is told already. */
  async function tryDefinition(hangUp: AbortSignal): Promise<Finding> {
    let found: readonly ContractDetails[]
    try {
      found = await paced(async () => current().contracts(CONTRACT, hangUp))
    } catch (cause) {
      log.debug({ err: toTidegateError(cause) }, 'the servers of contract definitions do not answer a probe')
      return 'unknown'
    }
    return found.length > 0 ? 'answered' : 'unknown'
  }

  const learn = (kind: Probed) => (finding: Finding) => {
    if (finding === 'unknown') return
    if (finding === 'silent') log.warn({}, 'the history servers do not answer a probe')
    happen(finding === 'answered' ? { type: 'probed', kind } : { type: 'silent' })
  }
  const history = createProbe({ clock, afterMs, ask: tryHistory, onFinding: learn('history') })
  const definition = createProbe({ clock, afterMs, ask: tryDefinition, onFinding: learn('definition') })

  return {
    heard: history.heard,
    missed: history.missed,
    held(ofHistory, ofDefinition) {
      history.held(ofHistory?.kind === 'farm-down' || ofHistory?.kind === 'disconnected')
      // Cut off from IBKR, the gateway may answer of what it remembers: that proves nothing.
      definition.held(ofDefinition?.kind === 'farm-down')
    },
    stop() {
      history.stop()
      definition.stop()
    },
  }
}
