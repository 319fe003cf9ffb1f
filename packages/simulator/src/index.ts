export { replayStartMs } from './clock.ts'
export { createSimulator } from './create.ts'
export type { GatewayEvent } from './events.ts'
export { readFaults } from './faults/read.ts'
export { FAULTS, type FaultKind, type FaultRow } from './faults/table.ts'
export type { Faults } from './faults.ts'
export {
  createPacingJudge,
  type JudgedRequest,
  type JudgeOptions,
  type PacingJudge,
  type PacingRule,
  type Violation,
} from './judge.ts'
export type { MarketEvents, Split } from './market/events.ts'
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
export type { Pulse } from './pulse.ts'
export { startServer } from './server.ts'
export type { Received, Simulator, SimulatorOptions, TruthQuery } from './simulator.ts'
