import { serveAdmin } from './admin.ts'
import { type Faults, noFaults } from './faults.ts'
import { createHappenings } from './happenings.ts'
import { createPacingJudge, type Violation } from './judge.ts'
import { createListener } from './listener.ts'
import type { Replayed } from './market/replay/load.ts'
import type { Market } from './market/types.ts'
import { createPulse } from './pulse.ts'
import type { Received, Simulator, SimulatorOptions } from './simulator.ts'
import { truthOf } from './truth.ts'
import { serve } from './wire/connection.ts'
import type { Gateway } from './wire/gateway.ts'
import { MAX_SERVER_VERSION, MIN_SERVER_VERSION } from './wire/handshake.ts'

/** Messages, and breaches of pacing, kept for a test to read. */
const MAX_KEPT = 100_000

/** Opens the port and serves this market; resolves when listening, rejects with what to do where it cannot. */
export async function startServer(
  market: Market,
  options: SimulatorOptions = {},
  replayed: readonly Replayed[] = [],
): Promise<Simulator> {
  const { host = '127.0.0.1', now = Date.now, log = () => {} } = options
  const faults: Faults = { ...noFaults(), ...options.faults }
  const received: Received[] = []
  const violations: Violation[] = []
  const gateway: Gateway = {
    market,
    now,
    accounts: options.accounts ?? ['SIM0000001'],
    serverVersion: checkedVersion(options.serverVersion ?? MAX_SERVER_VERSION),
    faults,
    pacing: options.pacing ?? 'lenient',
    judge: createPacingJudge(),
    pulse: options.pulse ?? createPulse(now),
    violated: (violation) => keep(violations, violation),
    log,
    record: (one) => keep(received, one),
    clientIds: new Set(),
    peers: new Set(),
  }
  const listener = createListener({ host, port: options.port ?? 0, log, serve: (socket) => serve(socket, gateway) })
  const happenings = createHappenings(gateway, listener)
  const event = happenings.happen
  const port = await listener.open()
  const administered = { faults, marketEvents: market.events, violations, now, event }
  const admin = options.admin && (await serveAdmin(administered, options.admin).catch(closingFirst(listener.close)))
  return {
    host,
    port,
    admin: admin && { host: admin.host, port: admin.port },
    faults,
    marketEvents: market.events,
    received,
    violations,
    replayed,
    now,
    event,
    truth: (query) => truthOf(market, query, Math.floor(now() / 1000)),
    async close() {
      happenings.cancel()
      await Promise.all([listener.close(), admin?.close()])
    },
  }
}

function checkedVersion(version: number): number {
  if (Number.isInteger(version) && version >= MIN_SERVER_VERSION && version <= MAX_SERVER_VERSION) return version
  throw new Error(`serverVersion is ${version}; give ${MIN_SERVER_VERSION} to ${MAX_SERVER_VERSION}.`)
}

/** Whoever starts but half leaves nothing open. */
function closingFirst(close: () => Promise<void>): (error: unknown) => Promise<never> {
  return async (error) => {
    await close()
    throw error
  }
}

function keep<T>(list: T[], one: T): void {
  if (list.length >= MAX_KEPT) list.shift()
  list.push(one)
}
