import { parseInstant, TidegateError } from '@tidegate/core'
import { createSimulator, type Faults, type GatewayEvent, type Simulator } from '@tidegate/simulator'
import { boxed } from '../banner.ts'
import type { Context } from '../context.ts'
import { untilAborted } from '../system.ts'
import { datesOnly, tableOf } from '../table.ts'

const DAY_SEC = 86_400

export interface SimulateOptions {
  readonly host: string
  readonly port: number
  readonly replay: readonly { readonly instrument: string; readonly path: string }[]
  readonly seed: string | undefined
  /** Where its clock starts, ISO; it runs on from there. */
  readonly now: string | undefined
  readonly serverVersion: number | undefined
  readonly pacing: 'strict' | 'lenient'
  /** Where faults and events are served over HTTP; undefined for not at all. */
  readonly adminPort: number | undefined
  readonly faults: Partial<Faults>
  /** What happens to it at once. */
  readonly events: readonly GatewayEvent[]
}

/** Runs a simulated gateway until a signal comes. Throws `invalid` for what it can't serve. */
export async function runSimulate(context: Context, options: SimulateOptions): Promise<number> {
  const simulator = await open(context, options)
  try {
    context.out(introduction(simulator, context.columns))
    await untilAborted(context.signal)
    return 0
  } finally {
    await simulator.close()
  }
}

async function open(context: Context, options: SimulateOptions): Promise<Simulator> {
  const { host, port, replay, seed, now, serverVersion, pacing, adminPort, faults, events } = options
  const offsetMs = now === undefined ? undefined : parseInstant(now) * 1000 - context.now()
  try {
    const simulator = await createSimulator({
      host,
      port,
      seed,
      replay,
      serverVersion,
      pacing,
      faults,
      ...(adminPort === undefined ? {} : { admin: { port: adminPort } }),
      ...(offsetMs === undefined ? {} : { now: () => context.now() + offsetMs }),
      log: (message, error) => context.err(`${message}${error instanceof Error ? ` ${error.message}` : ''}\n`),
    })
    return await begun(simulator, events)
  } catch (cause) {
    // The simulator knows nothing of ours: whatever keeps it from starting is something in what it was given.
    throw new TidegateError('invalid', cause instanceof Error ? cause.message : String(cause), { cause })
  }
}

/** A simulator to which this has happened; closed again where it can't. */
async function begun(simulator: Simulator, events: readonly GatewayEvent[]): Promise<Simulator> {
  try {
    for (const event of events) await simulator.event(event)
    return simulator
  } catch (error) {
    await simulator.close()
    throw error
  }
}

function introduction(simulator: Simulator, width: number | undefined): string {
  const { host, port, replayed, admin } = simulator
  const clock = new Date(simulator.now()).toISOString().slice(0, 19)
  const lines = ['SIMULATED GATEWAY', '', `It listens on ${host}:${port}.`, `Its clock stands at ${clock}Z.`]
  if (admin) lines.push(`Its faults are at http://${admin.host}:${admin.port}/faults.`)
  const rows = replayed.map(({ instrument, whatToShow, rows, fromSec, toSec }) => [
    instrument,
    whatToShow,
    rows,
    minuteOf(fromSec),
    minuteOf(toSec),
  ])
  const columns = [
    { head: 'replayed' },
    { head: 'data' },
    { head: 'rows', align: 'right' },
    { head: 'first (UTC)', short: datesOnly },
    { head: 'until (UTC)', short: datesOnly },
  ] as const
  const table = rows.length > 0 ? tableOf(columns, rows, width) : ''
  const settings = `${host === '127.0.0.1' ? '' : `IBKR_HOST=${host} `}${port === 4002 ? '' : `IBKR_PORT=${port} `}`
  const commands = nextCommands(simulator).map((command) => `  ${settings}npx tidegate ${command}\n`)
  return `${boxed(lines)}${table}Try in another terminal:\n${commands.join('')}Stop it with Ctrl-C.\n`
}

const PRICE_OF: Readonly<Record<string, string>> = { TRADES: 'LAST', MIDPOINT: 'MID', BID: 'BID', ASK: 'ASK' }

/** What fetches the replayed files, a command an instrument with every kind of price it has; or a look at the gateway. */
function nextCommands({ replayed }: Simulator): string[] {
  const instruments = [...new Set(replayed.map(({ instrument }) => instrument))]
  if (instruments.length === 0) return ['connect']
  return instruments.map((instrument) => {
    const own = replayed.filter((one) => one.instrument === instrument)
    const specs = new Set(own.map(({ whatToShow }) => `1-MINUTE-${PRICE_OF[whatToShow] ?? 'LAST'}`))
    const start = Math.min(...own.map(({ fromSec }) => fromSec))
    const end = Math.max(...own.map(({ toSec }) => toSec))
    return (
      `fetch --instruments ${instrument} --timeframe ${[...specs].join(',')} --hours all ` +
      `--start ${dayOf(start)} --end ${dayOf(Math.ceil(end / DAY_SEC) * DAY_SEC)}`
    )
  })
}

function minuteOf(sec: number): string {
  return new Date(sec * 1000).toISOString().slice(0, 16).replace('T', ' ')
}

function dayOf(sec: number): string {
  return new Date(sec * 1000).toISOString().slice(0, 10)
}
