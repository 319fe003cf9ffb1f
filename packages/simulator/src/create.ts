import { createMarket } from './market/market.ts'
import { startServer } from './server.ts'
import type { Simulator, SimulatorOptions } from './simulator.ts'

/**
 * A running simulator: the generated market of `options.seed`, served on a port. Rejects where the port cannot be
 * opened, saying what to do.
 */
export function createSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  return startServer(createMarket({ seed: options.seed }), options)
}
