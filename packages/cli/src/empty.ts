import { TidegateError } from '@tidegate/core'
import type { Store } from '@tidegate/db'

const none = async () => []
const nothing = async () => undefined
const not = async () => false

/** What a database answers that was just made, of all that is asked of it by what lists, looks and plans. */
const ANSWERS = {
  ping: async () => {},
  stampOrigin: async (origin) => origin,
  instrument: nothing,
  instrumentIds: none,
  listings: none,
  series: none,
  standing: nothing,
  run: nothing,
  runs: none,
  cancelRun: nothing,
  datasets: none,
  wanted: none,
  pauseDataset: not,
  judgedSeries: none,
  completeness: none,
  datasetCompleteness: none,
  unavailable: async (series) => series.map(() => []),
  restatements: none,
  adjustments: none,
  abandonAdjustment: not,
  // Whole windows are missing, nothing was learned or refused, and no market's hours are known.
  uncovered: async (wants) => wants.map(({ window }) => [window]),
  calendars: async (ids) => ids.map(() => undefined),
  spans: none,
  refusals: none,
  apiKey: nothing,
  apiKeys: none,
  revokeKey: not,
  webhooks: none,
  deliveries: nothing,
  delivery: nothing,
  removeWebhook: not,
  hooks: none,
  hook: nothing,
  // There is no dataset that it could be for.
  putHook: nothing,
  removeHook: not,
} satisfies Partial<Store>

async function refuse(): Promise<never> {
  throw new TidegateError('internal', 'There is no database here yet: the first start or fetch makes it.')
}

/** All else: what writes, what works, and what is asked by whoever does. */
const REFUSED: Record<Exclude<keyof Store, keyof typeof ANSWERS>, typeof refuse> = {
  putInstrument: refuse,
  ensureSeries: refuse,
  createRun: refuse,
  claim: refuse,
  requeue: refuse,
  giveUp: refuse,
  due: refuse,
  gaps: refuse,
  markUnavailable: refuse,
  wholes: refuse,
  halve: refuse,
  closeRuns: refuse,
  bars: refuse,
  outbox: refuse,
  delivered: refuse,
  forgetDelivered: refuse,
  putDataset: refuse,
  changeDataset: refuse,
  linkDataset: refuse,
  noteInstruments: refuse,
  putHead: refuse,
  advance: refuse,
  removeDataset: refuse,
  dueDatasets: refuse,
  datasetNow: refuse,
  spreadEvents: refuse,
  noteLogin: refuse,
  clearLogin: refuse,
  putWebhook: refuse,
  putTest: refuse,
  dueWebhooks: refuse,
  claimDelivery: refuse,
  settleDelivery: refuse,
  redoDelivery: refuse,
  pruneDeliveries: refuse,
  takeCall: refuse,
  dropCall: refuse,
  pruneCalls: refuse,
  putKey: refuse,
  sessions: refuse,
  putSessions: refuse,
  doubt: refuse,
  sessionRows: refuse,
  bury: refuse,
  isAnyHeld: refuse,
  resume: refuse,
  hasten: refuse,
  noteAway: refuse,
  clearAway: refuse,
  forgetRuns: refuse,
  openAdjustment: refuse,
  collecting: refuse,
  holding: refuse,
  stage: refuse,
  applyAdjustments: refuse,
  narrowAdjustment: refuse,
  furthestFrom: refuse,
  nearest: refuse,
  scaleSince: refuse,
  commit: refuse,
}

/**
 * The store of a folder without a database: it answers as an empty one would, which takes seconds to make. What would write
 * is refused with `internal`.
 */
export function createEmptyStore(): Store {
  return { ...ANSWERS, ...REFUSED }
}
