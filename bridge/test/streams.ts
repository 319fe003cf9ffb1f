import { createStream, opened, type Stream, type StreamEvent, type SubscriptionRequest } from '@tidegate/relay'
import type { Pulse, Simulator, SimulatorOptions } from '@tidegate/simulator'
import { WebSocket } from 'ws'
import { NOW_SEC } from './market.ts'
import { KEY, onEnd, type Rig, startBridge, startSimulator, until } from './rig.ts'

/** The market's clock and its beat, moved by hand. */
export interface Beat {
  now(): number
  readonly pulse: Pulse
  /** Lets so many seconds pass, one by one. */
  pass(seconds: number): void
}

export function createBeat(startSec = NOW_SEC): Beat {
  const beats = new Set<() => void>()
  let nowMs = startSec * 1000
  return {
    now: () => nowMs,
    pulse: {
      onBeat(beat) {
        const own = () => beat()
        beats.add(own)
        return () => beats.delete(own)
      },
    },
    pass(seconds) {
      for (let i = 0; i < seconds; i++) {
        nowMs += 1000
        for (const beat of [...beats]) beat()
      }
    },
  }
}

/** A bridge that listens, and streams to it. */
export interface Listening extends Rig {
  readonly url: string
  /** Opens one more stream. */
  open(key?: string): Promise<Stream>
  /** Opens a socket to say anything over. */
  raw(key?: string): Promise<RawStream>
}

export interface Streamed extends Listening {
  readonly simulator: Simulator
  readonly beat: Beat
}

type Options = Parameters<typeof startBridge>[1]

/** A bridge to the gateway at `port` that listens. */
export async function startListening(port: number, options: Options = {}): Promise<Listening> {
  const rig = await startBridge(port, { listen: true, ...options })
  const url = rig.bridge.url ?? ''
  const connect = (to: string, headers: object) => opened(new WebSocket(to, { headers: { ...headers } }))
  return {
    ...rig,
    url,
    async open(key = KEY) {
      const stream = await createStream({ url, key, connect })
      onEnd(() => stream.close())
      return stream
    },
    raw: (key = KEY) => openRaw(`${url}/v1/stream`, key),
  }
}

/** A simulator with a beat, a bridge that listens, and streams to it. */
export async function startStreams(options: Options = {}, simulated: SimulatorOptions = {}): Promise<Streamed> {
  const beat = createBeat()
  const simulator = await startSimulator({ now: beat.now, pulse: beat.pulse, ...simulated })
  return { ...(await startListening(simulator.port, options)), simulator, beat }
}

export interface RawStream {
  readonly socket: WebSocket
  /** Frames that came, oldest first. */
  readonly frames: Record<string, unknown>[]
  say(frame: object | string): void
  /** The first frame, come or to come, that has these fields. */
  frame(what: object): Promise<Record<string, unknown>>
  readonly closed: Promise<number>
}

async function openRaw(url: string, key: string): Promise<RawStream> {
  const socket = new WebSocket(url, { headers: { authorization: `Bearer ${key}` } })
  const frames: Record<string, unknown>[] = []
  socket.on('message', (data) => frames.push(JSON.parse(String(data))))
  const closed = new Promise<number>((resolve) => socket.on('close', resolve))
  onEnd(() => socket.terminate())
  await opened(socket)
  socket.on('error', () => {})
  return {
    socket,
    frames,
    say: (frame) => socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame)),
    async frame(what) {
      const fits = (frame: Record<string, unknown>) =>
        Object.entries(what).every(([name, value]) => JSON.stringify(frame[name]) === JSON.stringify(value))
      await until(`a frame with ${JSON.stringify(what)}`, () => frames.some(fits))
      return frames.find(fits) ?? {}
    },
    closed,
  }
}

export interface Subscribed {
  readonly events: StreamEvent[]
  readonly over: Promise<void>
  /** Everything of one kind that came. */
  all<K extends keyof StreamEvent>(name: K): NonNullable<StreamEvent[K]>[]
  end(): void
}

/** Subscribes, and collects what comes. */
export function subscribe(stream: Stream, request: SubscriptionRequest): Subscribed {
  const events: StreamEvent[] = []
  const abort = new AbortController()
  const over = stream.subscribe(request, (event) => events.push(event), abort.signal)
  over.catch(() => {})
  return {
    events,
    over,
    all: (name) => events.flatMap((event) => (event[name] === undefined ? [] : [event[name]])),
    end: () => abort.abort(),
  }
}
