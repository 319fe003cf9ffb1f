import { copyFileSync, existsSync } from 'node:fs'
import path from 'node:path'
import { createBridge, type Log, readSettings } from '@tidegate/bridge'
import { createRelay, type Relay } from '@tidegate/relay'
import { createSimulator, type MarketBar, type Simulator, type TruthQuery } from '@tidegate/simulator'
import type { Dice } from './dice.ts'
import type { Time } from './time.ts'
import type { Wires } from './wires.ts'

/** What the way to the bridge takes while it storms, and at times the way back: long enough for something else to happen. */
const DELAYS_MS = [0, 0, 1000, 10_000, 60_000, 200_000]
const KEY = 'key-of-the-chaos-0123456789-0123456789'

/** The simulated gateway, and a bridge to it that can be killed at any instant. */
export interface Gateway {
  readonly name: string
  readonly simulator: Simulator
  /** Symbols that its login has never been allowed to ask for. */
  readonly unsubscribed: readonly string[]
  /** What reaches the bridge of the moment, over a network that breaks off answers while it storms. */
  readonly relay: Relay
  /** What the market told of itself at an instant, epoch seconds: splits and dividends since then are none. */
  truthAt(atSec: number, query: TruthQuery): readonly MarketBar[]
  /** The bridge is gone without a word, and another one begins over what it left: the file of what was sent. */
  kill(): Promise<void>
  close(): Promise<void>
}

interface Parts {
  readonly name: string
  readonly time: Time
  readonly dice: Dice
  readonly wires: Wires
  readonly log: Log
  /** A folder of its own, for what bridges leave. */
  readonly folder: string
  readonly isStormy: () => boolean
  readonly marketSeed: string
  readonly unsubscribed: readonly string[]
}

export async function openGateway(parts: Parts): Promise<Gateway> {
  const { name, time, dice, wires, log, folder, isStormy, unsubscribed } = parts
  let shownMs: number | undefined
  const simulator = await createSimulator({
    now: () => shownMs ?? time.now(),
    seed: parts.marketSeed,
    pacing: 'strict',
    faults: { unsubscribed },
    // Nothing live is asked for.
    pulse: { onBeat: () => () => {} },
    log: (message, error) => log.error({ err: error }, `the simulator: ${message}`),
  })
  let life = await begin(0)

  async function begin(nth: number) {
    const { clock, kill } = time.ofProcess()
    const own = dice.fork()
    let ids = 0
    const settings = readSettings({
      IBKR_HOST: simulator.host,
      IBKR_PORT: String(simulator.port),
      BRIDGE_KEY: KEY,
      BRIDGE_PORT: '0',
      BRIDGE_STATE: stateOf(nth),
    })
    const newId = () => `${name}-${nth}-${++ids}`
    const bridge = await createBridge({ settings, log, clock, random: own.next, newId, listen: false })
    return { nth, bridge, kill, gone: new AbortController() }
  }

  function stateOf(nth: number): string {
    return path.join(folder, `${name}-${nth}.jsonl`)
  }

  async function fetch(request: Request): Promise<Response> {
    const { bridge, gone } = life
    if (gone.signal.aborted) throw new TypeError('fetch failed: the bridge is not there')
    if (isStormy()) await Promise.race([time.sleep(dice.pick(DELAYS_MS)), whenAborted(gone.signal)])
    const answer = await Promise.race([bridge.fetch(request), whenAborted(gone.signal)])
    if (isStormy() && dice.chance(0.3)) await Promise.race([time.sleep(dice.pick(DELAYS_MS)), whenAborted(gone.signal)])
    const isBroken = isStormy() && dice.chance(0.03)
    const ends = isBroken ? dice.pick(['error', 'end'] as const) : undefined
    return new Response(through(answer.body, gone.signal, ends), { status: answer.status, headers: answer.headers })
  }

  return {
    name,
    simulator,
    unsubscribed,
    relay: createRelay({ url: `http://${name}.test`, key: KEY, fetch }),
    truthAt(atSec, query) {
      shownMs = atSec * 1000
      try {
        return simulator.truth(query)
      } finally {
        shownMs = undefined
      }
    },
    async kill() {
      const { nth, gone, kill } = life
      kill()
      gone.abort(new TypeError('fetch failed: the bridge has been killed'))
      wires.cut(simulator.port)
      // The file stays locked by what, for this process, is still alive; another one would take it over.
      if (existsSync(stateOf(nth))) copyFileSync(stateOf(nth), stateOf(nth + 1))
      life = await begin(nth + 1)
    },
    async close() {
      life.kill()
      life.gone.abort(new TypeError('fetch failed: all is over'))
      wires.cut(simulator.port)
      await simulator.close()
    },
  }
}

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

/** An answer's bytes, until whoever sends them dies; where it `ends` early, half of its first piece comes. */
function through(
  body: ReadableStream<Uint8Array> | null,
  gone: AbortSignal,
  ends: 'error' | 'end' | undefined,
): ReadableStream<Uint8Array> | null {
  const reader = body?.getReader()
  if (!reader) return null
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await Promise.race([reader.read(), whenAborted(gone)])
        if (done) return controller.close()
        if (ends === undefined) return controller.enqueue(value)
        controller.enqueue(value.subarray(0, Math.floor(value.length / 2)))
        void reader.cancel()
        if (ends === 'end') controller.close()
        else controller.error(new TypeError('terminated: other side closed'))
      } catch (error) {
        controller.error(error)
      }
    },
    cancel: (reason) => reader.cancel(reason),
  })
}
