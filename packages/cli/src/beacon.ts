import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { TidegateError } from '@tidegate/core'
import { z } from 'zod'
import type { Context } from './context.ts'
import type { Door } from './settings.ts'

/** How a running Tidegate is found by the other commands in its folder: a file that only its owner may read. */
const FILE = join('.tidegate', 'server.json')
/** Its answer takes a millisecond, but for the time that whatever else it does keeps it from it. */
const HEALTH_SEC = 10

const schema = z.object({ url: z.url(), key: z.string().min(1), pid: z.int().positive() })
export type Beacon = z.infer<typeof schema>

/**
 * The Tidegate that runs in this folder. A file whose process is gone, or that nobody serves at, stands for nobody. Throws
 * `busy` for one that is there and does not answer: nobody else can open its database meanwhile.
 */
export async function findServer({ cwd, isAlive, fetch, sleep, signal }: Finding): Promise<Beacon | undefined> {
  const path = join(cwd, FILE)
  const beacon = await read(path)
  if (!beacon || !isAlive(beacon.pid)) return undefined
  const over = new AbortController()
  const request = new Request(new URL('/health', beacon.url), { signal: over.signal })
  const health = fetch(request).then(
    ({ ok }) => ok,
    // The process number was given to another program since, or it is on its way down: either way nobody serves.
    () => false,
  )
  const waited = sleep(HEALTH_SEC * 1000, AbortSignal.any([signal, over.signal])).then(() => undefined)
  const isServing = await Promise.race([health, waited])
  over.abort()
  if (isServing !== undefined) return isServing ? beacon : undefined
  const { pid, url } = beacon
  throw new TidegateError(
    'busy',
    `Tidegate runs in this folder, process ${pid} at ${url}, and did not answer within ${HEALTH_SEC} s: it is busy. Try again in a while. (Remove ${path} if that process is another program.)`,
  )
}

type Finding = Pick<Context, 'cwd' | 'isAlive' | 'fetch' | 'sleep' | 'signal'>

/** Says where this process serves; what it returns takes that back. Throws `conflict` while another one serves here. */
export async function announce(context: Context, door: Door): Promise<() => Promise<void>> {
  const running = await findServer(context)
  if (running) throw alreadyRunning(running)
  const path = join(context.cwd, FILE)
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await rm(path, { force: true })
  const beacon: Beacon = { ...door, pid: context.pid }
  await writeFile(path, `${JSON.stringify(beacon, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
  return async () => {
    const current = await read(path)
    if (current?.pid === context.pid && current.key === door.key) await rm(path, { force: true })
  }
}

export function alreadyRunning({ pid, url }: Beacon): TidegateError {
  return new TidegateError(
    'conflict',
    `Tidegate already runs in this folder: process ${pid} at ${url}. Use it as it is (the other commands find it), or stop it first: kill ${pid}`,
  )
}

async function read(path: string): Promise<Beacon | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new TidegateError('invalid', `${path} can't be read: remove it, or run as the user it belongs to.`, {
      cause: error,
    })
  }
  try {
    return schema.parse(JSON.parse(text))
  } catch {
    // Cut off by a crash while it was written: it stands for nobody, and the next start writes it anew.
    return undefined
  }
}
