/** From which price on which increment holds. */
export interface PriceStep {
  readonly lowEdge: number
  readonly increment: number
}

/** IBKR's market rules this market needs: one increment at every price. The ids of 26 and 67 are IBKR's own. */
const INCREMENTS: ReadonlyMap<number, number> = new Map([
  [26, 0.01],
  [32, 0.05],
  [67, 0.25],
  [121, 0.1],
  [122, 1],
  [131, 0.00005],
  [132, 0.0001],
  [133, 0.005],
  [134, 0.001],
  [135, 0.015625],
  [136, 0.03125],
  [137, 0.02],
  [138, 0.5],
])

/** The rule whose increment this is; undefined where no rule has it. */
export function ruleIdOf(minTick: number): number | undefined {
  for (const [id, increment] of INCREMENTS) if (increment === minTick) return id
  return undefined
}

/** The steps of a rule; undefined for an id that is none. */
export function stepsOf(ruleId: number): readonly PriceStep[] | undefined {
  const increment = INCREMENTS.get(ruleId)
  return increment === undefined ? undefined : [{ lowEdge: 0, increment }]
}
