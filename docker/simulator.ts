/**
 * The simulator as a container: a stand-in for IB Gateway on the ports its image exposes, 4003 (live) and 4004 (paper).
 * SIMULATOR_PORTS names others, separated by commas. SIGTERM or SIGINT closes it.
 */
import { createSimulator, type Simulator } from '@tidegate/simulator'

const DEFAULT_PORTS = '4003,4004'

function portsOf(text: string): number[] {
  return text.split(',').map((part) => {
    const port = Number(part.trim())
    if (/^\d+$/.test(part.trim()) && port > 0 && port < 65_536) return port
    throw new Error(
      `SIMULATOR_PORTS is ${JSON.stringify(text)}; expected ports between 1 and 65535, as in ${DEFAULT_PORTS}.`,
    )
  })
}

function log(message: string, error?: unknown): void {
  console.error(error === undefined ? message : `${message} ${error instanceof Error ? error.message : String(error)}`)
}

async function serve(ports: readonly number[]): Promise<void> {
  const simulators: Simulator[] = []
  for (const port of ports) simulators.push(await createSimulator({ host: '0.0.0.0', port, pacing: 'strict', log }))
  console.log(`Simulated gateway, no real market data: listening on 0.0.0.0, ports ${ports.join(', ')}.`)
  const close = async () => {
    await Promise.all(simulators.map((simulator) => simulator.close()))
  }
  process.once('SIGTERM', close)
  process.once('SIGINT', close)
}

try {
  await serve(portsOf(process.env.SIMULATOR_PORTS || DEFAULT_PORTS))
} catch (error) {
  log('The simulated gateway cannot start.', error)
  // A port that did open would keep the process running.
  process.exit(1)
}
