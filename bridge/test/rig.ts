import { type Bridge, type BridgeOptions, type BridgeSettings, createBridge, type Log } from '@tidegate/bridge'
import { type BarsRequest, createRelay, type Relay } from '@tidegate/relay'
import { type Simulator, type SimulatorOptions, startServer } from '@tidegate/simulator'
import { market, NOW_SEC } from './market.ts'

export const KEY = 'k'.repeat(32)

/** What a test starts, ended in the reverse order. */
const started: (() => Promise<unknown> | unknown)[] = []

/** Ends everything the test started; for `afterEach`. */
export async function endAll(): Promise<void> {
  for (let end = started.pop(); end; end = started.pop()) await end()
}

export function onEnd(end: () => Promise<unknown> | unknown): void {
  started.push(end)
}

export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startServer(market, { now: () => NOW_SEC * 1000, ...options })
  onEnd(() => simulator.close())
  return simulator
}

export interface Rig {
  readonly bridge: Bridge
  readonly relay: Relay
  /** Every log line as JSON. */
  readonly logged: readonly string[]
  /** Those of them that somebody should look at. */
  readonly warned: readonly string[]
}

type RigOptions = Partial<Omit<BridgeOptions, 'settings' | 'log'>> & { settings?: Partial<BridgeSettings> }

export function settingsFor(port: number, settings: Partial<BridgeSettings> = {}): BridgeSettings {
  return {
    gateway: { host: '127.0.0.1', port, clientId: 1 },
    tradingMode: 'paper',
    connectionTimeoutMs: 5000,
    requestTimeoutMs: 5000,
    messagesPerSec: 45,
    marketDataType: 'DELAYED_FROZEN',
    host: '127.0.0.1',
    port: 0,
    keys: [KEY],
    ...settings,
  }
}

/** A bridge to the gateway at `port`, ready unless told not to wait, and a relay client joined to it in-process. */
export async function startBridge(port: number, { settings, ...options }: RigOptions = {}): Promise<Rig> {
  const logged: string[] = []
  const warned: string[] = []
  const write = (fields: object, message: string) => void logged.push(`${JSON.stringify(fields)} ${message}`)
  const warn = (fields: object, message: string) => {
    write(fields, message)
    warned.push(message)
  }
  const log: Log = { debug: write, info: write, warn, error: warn }
  const bridge = await createBridge({
    settings: settingsFor(port, settings),
    log,
    listen: false,
    untilReady: true,
    ...options,
  })
  onEnd(() => bridge.close())
  const relay = createRelay({ url: 'http://bridge', key: KEY, fetch: bridge.fetch })
  return { bridge, relay, logged, warned }
}

export const AAPL = { symbol: 'AAPL', secType: 'STK', exchange: 'SMART', currency: 'USD' } as const

/** A day of hours of AAPL unless told otherwise: 24 bars. */
export function request(changes: Partial<BarsRequest> = {}): BarsRequest {
  return {
    contract: AAPL,
    barSize: '1 hour',
    whatToShow: 'TRADES',
    hours: 'all',
    end: NOW_SEC,
    duration: '1 D',
    ...changes,
  }
}

/** The messages of one id that the simulator has received. */
export function sent(simulator: Simulator, messageId: number): number {
  return simulator.received.filter((one) => one.messageId === messageId).length
}

/** Resolves as soon as `holds`; looks at every turn of the event loop. Fails, saying what was waited for, after ten seconds. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const untilMs = performance.now() + 10_000
  while (!holds()) {
    if (performance.now() > untilMs) throw new Error(`Waited in vain: ${what}.`)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}
