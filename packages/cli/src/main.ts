/** The command as a process: the only place that touches its environment, streams and signals. */
import { randomBytes } from 'node:crypto'
import { existsSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { Context } from './context.ts'
import { createOutput } from './output.ts'
import { run } from './program.ts'
import { isAlive, sleep, untilAborted } from './system.ts'

/** A terminal sends Ctrl-C to every process in the foreground, and npm passes it on as well: one press can come twice. */
const SAME_PRESS_MS = 500
const STATUS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129, SIGPIPE: 141 } as const
/** How long a reader that takes nothing is waited for once the command was told to stop. */
const LAST_WORDS_MS = 2000

const stopping = new AbortController()
let stoppedAtMs = 0
function stop(signal: keyof typeof STATUS): void {
  if (!stopping.signal.aborted) {
    stoppedAtMs = performance.now()
    stopping.abort()
  } else if (performance.now() - stoppedAtMs > SAME_PRESS_MS) {
    process.exit(STATUS[signal])
  }
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop(signal))
// Whoever started us and handed over its channel is gone, without a word: nobody waits for us any more.
if (process.channel) process.on('disconnect', () => stop('SIGHUP'))

let unwritten: number | undefined
/** Whoever reads may have read enough: nothing is said of that, and the command ends in order. */
function lost(error: NodeJS.ErrnoException): void {
  const isGone = error.code === 'EPIPE' || error.code === 'ECONNRESET'
  unwritten = isGone ? STATUS.SIGPIPE : 1
  if (!isGone) err.write(`tidegate: what it says can not be written: ${error.message}.\n`)
  stopping.abort()
}
const out = createOutput(process.stdout, lost)
const err = createOutput(process.stderr, lost)
const stopped = untilAborted(stopping.signal)

/** Ends the process once all that was said has been taken. */
async function end(status: number): Promise<never> {
  const told = Promise.all([out.flushed(), err.flushed()])
  await Promise.race([told, stopped.then(() => delay(LAST_WORDS_MS))])
  process.exit(unwritten ?? status)
}

const file = join(process.cwd(), '.env')
try {
  if (existsSync(file)) process.loadEnvFile(file)
} catch (error) {
  err.write(`tidegate: ${file} can not be read: ${error instanceof Error ? error.message : error}.\n`)
  await end(1)
}

/** Code that is not ours may end the process: that must not look like success. */
function guard(said: string): () => void {
  const fail = () => {
    process.exitCode = 1
    // What is written to a stream now would not be taken any more.
    writeSync(process.stderr.fd, `tidegate: ${said}\n`)
  }
  process.on('exit', fail)
  return () => void process.off('exit', fail)
}

function fatal(said: string): void {
  writeSync(process.stderr.fd, `tidegate: ${said}\n`)
  process.exit(1)
}

/** Nobody's answer, or none in time, is no. */
async function ask(question: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await lines.question(question, { signal: stopping.signal })
    return /^y(es)?$/i.test(answer.trim())
  } catch (error) {
    if (stopping.signal.aborted) return false
    throw error
  } finally {
    lines.close()
  }
}

const context: Context = {
  out: out.write,
  err: err.write,
  taken: () => Promise.race([out.flushed(), stopped]),
  terminal: process.stderr.isTTY ? process.stderr : undefined,
  columns: process.stdout.isTTY ? process.stdout.columns : undefined,
  env: process.env,
  cwd: process.cwd(),
  pid: process.pid,
  isAlive,
  now: Date.now,
  sleep,
  guard,
  fatal,
  fetch: (request) => fetch(request),
  ask: process.stdin.isTTY && process.stderr.isTTY ? ask : undefined,
  newKey: () => randomBytes(32).toString('hex'),
  signal: stopping.signal,
}
await end(await run(process.argv.slice(2), context))
