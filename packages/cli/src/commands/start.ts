import { formatInstant, type Hours, TidegateError } from '@tidegate/core'
import type { Store } from '@tidegate/db'
import { createSimulator } from '@tidegate/simulator'
import { SIMULATED_BANNER } from '../banner.ts'
import { alreadyRunning, announce, findServer } from '../beacon.ts'
import type { FetchBody } from '../client.ts'
import { type Closer, createCloser } from '../closer.ts'
import type { Context } from '../context.ts'
import { type Filled, fill } from '../fill.ts'
import type { FirstPart } from '../first.ts'
import { createProgress } from '../progress.ts'
import { openRelay } from '../relay.ts'
import { pendingText, SERIES_COLUMNS, troublesOf } from '../report.ts'
import { readSettings, type Settings } from '../settings.ts'
import { openStack, type Stack } from '../stack.ts'
import { untilAborted } from '../system.ts'
import { instantCell, tableOf } from '../table.ts'
import { serverLog } from '../target.ts'

/** Datasets are brought up to date as often as the schedule looks. */
const EVERY_SEC = 60
const DAY_SEC = 86_400
const INTERRUPTED = 130

export interface StartOptions {
  /** End after the first fill instead of serving on. */
  readonly once: boolean
  /** Where the functions listen; 0 is any free port. */
  readonly port: number | undefined
  readonly verbose: boolean
  readonly first: readonly FirstPart[]
}

/**
 * Brings everything up in this process: the simulator (where no gateway is named), the bridge, the functions; fills the
 * first dataset and goes on serving. Throws `conflict`, naming the process, while another one runs in this folder.
 */
export async function runStart(context: Context, options: StartOptions): Promise<number> {
  const closer = createCloser()
  try {
    return await serve(context, options, closer)
  } finally {
    await closer.close()
  }
}

async function serve(context: Context, options: StartOptions, closer: Closer): Promise<number> {
  const { signal, out } = context
  const settings = readSettings(context.env, context.newKey)
  const running = await findServer(context)
  if (running) throw alreadyRunning(running)
  const stack = await bringUp(context, settings, options, closer)
  const url = stack.functions.url
  if (url === undefined) throw new TidegateError('internal', 'The functions came up without a port.')
  closer.add(await announce(context, { url, key: settings.functions.keys[0] ?? '' }))

  const complete = !signal.aborted && (await fillFirst(context, stack, options.first, settings.functions.hours))
  if (options.once) return signal.aborted ? INTERRUPTED : complete ? 0 : 1
  if (signal.aborted) return 0
  stack.functions.startSchedule()
  out(`Serving at ${url}, up to date every minute. The key is in .tidegate/server.json, for you alone to read.\n`)
  out('In this folder the other commands find it: npx tidegate status. Stop it with Ctrl-C.\n')
  await untilAborted(signal)
  out('Finishing what is under way.\n')
  return 0
}

async function bringUp(context: Context, settings: Settings, options: StartOptions, closer: Closer): Promise<Stack> {
  const log = serverLog(context, options.verbose)
  const gateway = settings.bridge || settings.namesGateway ? undefined : await openSimulator(context, closer)
  if (!gateway) context.out('Waiting for the gateway to be ready.\n')
  const { relay, close } = await openRelay(context, settings, { gateway, log })
  closer.add(close)
  if ((await relay.status()).gateway.simulated) context.out(SIMULATED_BANNER)
  const { host, port } = settings.functions.listen
  // Whoever wants one fill and the end of it needs no port of its own, and should not fail over a taken one.
  const listen = { host, port: options.port ?? (options.once ? 0 : port) }
  const stack = await openStack(context, settings, { relay, log, listen })
  closer.add(() => stack.close())
  return stack
}

async function openSimulator({ now }: Context, closer: Closer): Promise<{ host: string; port: number }> {
  const simulator = await createSimulator({ now })
  closer.add(() => simulator.close())
  return simulator
}

/** Declares the datasets and fills them, with a table at the end. True when nothing that should be there is missing. */
async function fillFirst(
  context: Context,
  { client, functions }: Stack,
  first: readonly FirstPart[],
  hours: Hours,
): Promise<boolean> {
  const nowSec = Math.floor(context.now() / 1000)
  const bodies = await declare(functions.store, first, nowSec, hours)
  const progress = createProgress(context)
  let filled: Filled[]
  try {
    filled = await Promise.all(bodies.map((body) => fill(client, body, { ...context, progress })))
  } finally {
    progress.stop()
  }
  const { series: stored } = await client.series()
  const series = filled.flatMap((one) => one.series)
  const rows = series.map(({ instrumentId, spec, hours, gaps }) => {
    const one = stored.find((s) => s.instrumentId === instrumentId && s.spec === spec && s.hours === hours)
    return [instrumentId, spec, hours, one?.bars ?? 0, instantCell(one?.from), instantCell(one?.to), gaps.length]
  })
  context.out(tableOf(SERIES_COLUMNS, rows) + pendingText(filled))
  if (context.signal.aborted) {
    context.err('Interrupted. What was fetched is stored; the next start goes on where this one stopped.\n')
    return false
  }
  const troubles = filled.flatMap(troublesOf)
  for (const trouble of troubles) context.err(`${trouble}\n`)
  return troubles.length === 0
}

/** Puts the datasets in the store; one that is there keeps the instant it began at. What to fetch for each, up to now. */
async function declare(store: Store, first: readonly FirstPart[], nowSec: number, hours: Hours): Promise<FetchBody[]> {
  const known = new Map((await store.datasets()).map((dataset) => [dataset.name, dataset]))
  const bodies: FetchBody[] = []
  for (const { name, instruments, spec, days } of first) {
    const since = known.get(name)?.since ?? Math.floor(nowSec / DAY_SEC) * DAY_SEC - days * DAY_SEC
    const wants = instruments.map((instrumentId) => ({ instrumentId, spec, hours }))
    await store.putDataset({ name, wants, since, everySec: EVERY_SEC })
    bodies.push({ instruments, specs: [spec], hours, start: formatInstant(since), end: formatInstant(nowSec) })
  }
  return bodies
}
