import { TidegateError } from '@tidegate/core'
import { createSimulator } from '@tidegate/simulator'
import { SIMULATED_BANNER } from '../banner.ts'
import { alreadyRunning, announce, findServer } from '../beacon.ts'
import { type Closer, createCloser } from '../closer.ts'
import { hasConfig, loadConfig } from '../config.ts'
import type { Context } from '../context.ts'
import { definitionsOf, fillDatasets, othersText } from '../dataset.ts'
import { type FirstPart, firstDataset } from '../first.ts'
import { createNews, type News } from '../news.ts'
import { openRelay } from '../relay.ts'
import { readSettings, type Settings } from '../settings.ts'
import { openStack, type Stack } from '../stack.ts'
import { createStanding, type Standing } from '../standing.ts'
import { serverLog } from '../target.ts'

const MINUTE_MS = 60_000
const INTERRUPTED = 130
/** How long after the minute its news is told: by then its bars have come. */
const NEWS_AFTER_MS = 15_000

export interface StartOptions {
  /** End after the first fill instead of serving on. */
  readonly once: boolean
  /** Where the functions listen; 0 is any free port. */
  readonly port: number | undefined
  readonly verbose: boolean
  /** The first dataset, whatever the folder's config says. Default: the config's datasets, or as the clock says. */
  readonly first: readonly FirstPart[] | undefined
}

/**
 * Brings everything up in this process: the simulator (where no gateway is named), the bridge, the functions; fills the
 * datasets of the folder's tidegate.config.ts, or else a first one, by their schedules from the beginning, and goes on serving.
 * Throws `conflict`, naming the process, while another one runs in this folder.
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
  const { hours } = settings.functions
  const config =
    options.first === undefined && hasConfig(context.cwd) ? await loadConfig(context, { hours }) : undefined
  const { stack, news } = await bringUp(context, settings, options, closer)
  const url = stack.functions.url
  if (url === undefined) throw new TidegateError('internal', 'The functions came up without a port.')
  closer.add(await announce(context, { url, key: settings.functions.keys[0] ?? '' }))

  const wanted = config ?? definitionsOf(options.first ?? firstDataset(context.now() / 1000), hours)
  // A first fill may take hours, which is no reason to keep nothing current meanwhile.
  const begun = options.once ? undefined : () => stack.functions.startSchedule()
  if (!options.once) out(`Listening at ${url}. What is missing is filled first, and schedules run meanwhile.\n`)
  const complete = !signal.aborted && (await fillDatasets(context, stack.client, wanted, begun))
  if (config) out(await othersText(stack.client, config))
  if (options.once) return signal.aborted ? INTERRUPTED : complete ? 0 : 1
  if (signal.aborted) return 0
  news.take()
  const pace = config ? 'each dataset up to date by its own schedule' : 'up to date every minute'
  out(`Serving at ${url}, ${pace}. The key is in .tidegate/server.json, for you alone to read.\n`)
  out('In this folder the other commands find it: npx tidegate status. Stop it with Ctrl-C.\n')
  await tellNews(context, news, createStanding(stack.client))
  out('Finishing what is under way.\n')
  return 0
}

/** Each minute what became of the gateway, and how many bars came, where there is something to tell; until a signal comes. */
async function tellNews({ now, sleep, signal, out }: Context, news: News, standing: Standing): Promise<void> {
  for (;;) {
    await sleep(MINUTE_MS - (now() % MINUTE_MS) + NEWS_AFTER_MS, signal)
    const time = new Date(now()).toISOString().slice(11, 16)
    const lines = [...(signal.aborted ? [] : await standing.take()), ...told(news)]
    for (const line of lines) out(`${time} UTC  ${line}\n`)
    if (signal.aborted) return
  }
}

function told(news: News): string[] {
  const text = news.take()
  return text === undefined ? [] : [text]
}

async function bringUp(
  context: Context,
  settings: Settings,
  options: StartOptions,
  closer: Closer,
): Promise<{ readonly stack: Stack; readonly news: News }> {
  const log = serverLog(context, options.verbose)
  const news = createNews(log)
  const gateway = settings.bridges || settings.meansGateway ? undefined : await openSimulator(context, closer)
  if (!gateway) context.out('Waiting for the gateway to be ready.\n')
  // Every request is in the log once, by what came of it: the bridge tells only what goes wrong.
  const { relay, close } = await openRelay(context, settings, { gateway, log: log.child({}, { level: 'warn' }) })
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
