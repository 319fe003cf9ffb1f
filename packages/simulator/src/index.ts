export { replayStartMs } from './clock.ts'
export { createSimulator } from './create.ts'
export {
  createPacingJudge,
  type JudgedRequest,
  type JudgeOptions,
  type PacingJudge,
  type PacingRule,
  type Violation,
} from './judge.ts'
export type { Replayed } from './market/replay/load.ts'
export type {
  BarsQuery,
  ContractQuery,
  Listing,
  Market,
  MarketBar,
  PriceKind,
  Replay,
  Session,
} from './market/types.ts'
export { startServer } from './server.ts'
export type { Faults, Received, Simulator, SimulatorOptions, TruthQuery } from './simulator.ts'
