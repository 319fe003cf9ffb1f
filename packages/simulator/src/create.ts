import { replayStartMs } from './clock.ts'
import { allProducts } from './market/listings/listings.ts'
import { createMarket } from './market/market.ts'
import { historiesOf, loadReplays } from './market/replay/load.ts'
import { startServer } from './server.ts'
import type { Simulator, SimulatorOptions } from './simulator.ts'

/**
 * A running simulator: the generated market of `options.seed`, with the listings of `options.replay` as files have
 * them, served on a port. Without `options.now` its clock is the machine's; with files to replay it starts where the
 * newest ends (`replayStartMs`) and runs on from there. Rejects, saying what is wrong and where, for a file that cannot
 * be replayed, an instrument that is not listed, a port that cannot be opened.
 */
export async function createSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const products = allProducts()
  const recordings = await loadReplays(options.replay ?? [], products)
  const replayed = recordings.map((recording) => recording.replayed)
  const market = createMarket({ products, seed: options.seed ?? 'tidegate', replayed: historiesOf(recordings) })
  return startServer(market, { ...options, now: options.now ?? clockFrom(replayStartMs(replayed)) }, replayed)
}

/** The machine's clock, set to an instant now. Epoch milliseconds. */
function clockFrom(startMs: number | undefined): () => number {
  if (startMs === undefined) return Date.now
  const aheadMs = startMs - Date.now()
  return () => Date.now() + aheadMs
}
