import { formatInstant, type Hours, TidegateError, toTidegateError } from '@tidegate/core'
import type { Store } from '@tidegate/db'
import { createSimulator } from '@tidegate/simulator'
import { SIMULATED_BANNER } from '../banner.ts'
import { alreadyRunning, announce, findServer } from '../beacon.ts'
import type { Client, FetchBody } from '../client.ts'
import { type Closer, createCloser } from '../closer.ts'
import type { Context } from '../context.ts'
import { type Filled, type FillOptions, fill } from '../fill.ts'
import { type FirstPart, firstDataset } from '../first.ts'
import { hinted } from '../hint.ts'
import { createNews, type News } from '../news.ts'
import { createProgress } from '../progress.ts'
import { openRelay } from '../relay.ts'
import { filledTable, pendingText, troublesOf } from '../report.ts'
import { readSettings, type Settings } from '../settings.ts'
import { openStack, type Stack } from '../stack.ts'
import { serverLog } from '../target.ts'

/** Datasets are brought up to date as often as the schedule looks. */
const EVERY_SEC = 60
const DAY_SEC = 86_400
const INTERRUPTED = 130
/** How long after the minute its news is told: by then its bars have come. */
const NEWS_AFTER_MS = 15_000

export interface StartOptions {
  /** End after the first fill instead of serving on. */
  readonly once: boolean
  /** Where the functions listen; 0 is any free port. */
  readonly port: number | undefined
  readonly verbose: boolean
  /** The first dataset. Default: as the clock says. */
  readonly first: readonly FirstPart[] | undefined
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
  const { stack, news } = await bringUp(context, settings, options, closer)
  const url = stack.functions.url
  if (url === undefined) throw new TidegateError('internal', 'The functions came up without a port.')
  closer.add(await announce(context, { url, key: settings.functions.keys[0] ?? '' }))

  const first = options.first ?? firstDataset(context.now() / 1000)
  const complete = !signal.aborted && (await fillFirst(context, stack, first, settings.functions.hours))
  if (options.once) return signal.aborted ? INTERRUPTED : complete ? 0 : 1
  if (signal.aborted) return 0
  news.take()
  stack.functions.startSchedule()
  out(`Serving at ${url}, up to date every minute. The key is in .tidegate/server.json, for you alone to read.\n`)
  out('In this folder the other commands find it: npx tidegate status. Stop it with Ctrl-C.\n')
  await tellNews(context, news)
  out('Finishing what is under way.\n')
  return 0
}

/** A line a minute where bars came, until a signal comes. */
async function tellNews({ now, sleep, signal, out }: Context, news: News): Promise<void> {
  while (!signal.aborted) {
    await sleep(EVERY_SEC * 1000 - (now() % (EVERY_SEC * 1000)) + NEWS_AFTER_MS, signal)
    const text = news.take()
    if (text) out(`${new Date(now()).toISOString().slice(11, 16)} UTC  ${text}\n`)
  }
}

async function bringUp(
  context: Context,
  settings: Settings,
  options: StartOptions,
  closer: Closer,
): Promise<{ readonly stack: Stack; readonly news: News }> {
  const log = serverLog(context, options.verbose)
  const news = createNews(log)
  const gateway = settings.bridge || settings.namesGateway ? undefined : await openSimulator(context, closer)
  if (!gateway) context.out('Waiting for the gateway to be ready.\n')
  const { relay, close } = await openRelay(context, settings, { gateway, log })
  closer.add(close)
  if ((await relay.status()).gateway.simulated) context.out(SIMULATED_BANNER)
  const { host, port } = settings.functions.listen
  // Whoever wants one fill and the end of it needs no port of its own, and should not fail over a taken one.
  const listen = { host, port: options.port ?? (options.once ? 0 : port) }
  const stack = await openStack(context, settings, { relay, log: news.log, listen })
  closer.add(() => stack.close())
  return { stack, news }
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
  let parts: Part[]
  try {
    parts = await Promise.all(bodies.map((body) => fillPart(client, body, { ...context, progress })))
  } finally {
    progress.stop()
  }
  const filled = parts.flatMap((part) => ('filled' in part ? part : []))
  const unfilled = parts.flatMap((part) => ('error' in part ? part : []))
  const [foremost] = unfilled
  if (foremost && filled.length === 0) throw foremost.error
  context.out((await filledTable(client, filled, context.columns)) + pendingText(filled.map((part) => part.filled)))
  if (context.signal.aborted) {
    context.err('Interrupted. What was fetched is stored; the next start goes on where this one stopped.\n')
    return false
  }
  const troubles = [
    ...unfilled.map(({ body, error }) => `not fetched: ${hinted(error.message, body.instruments, nowSec)}`),
    ...filled.flatMap((part) => troublesOf(part.filled, nowSec)),
  ]
  for (const trouble of troubles) context.err(`${trouble}\n`)
  return troubles.length === 0
}

type Part =
  | { readonly body: FetchBody; readonly filled: Filled }
  | { readonly body: FetchBody; readonly error: TidegateError }

/** Fills one part. That its instruments can't be had, or not by this login, is its own trouble and not the others'. */
async function fillPart(client: Client, body: FetchBody, options: FillOptions): Promise<Part> {
  try {
    return { body, filled: await fill(client, body, options) }
  } catch (cause) {
    const error = toTidegateError(cause)
    if (error.kind !== 'not-found' && error.kind !== 'invalid' && error.kind !== 'no-permission') throw cause
    return { body, error }
  }
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
