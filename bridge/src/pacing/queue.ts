import type { Charge } from './rules.ts'

/** Of ten that go, one is of those who would otherwise always be passed over. */
const SHARE = 10

/** What waits in a line of its own, so that one that has to wait for its budget does not hold up the others. */
export type Lane = 'message' | 'small' | 'plain'

export interface Waiter {
  readonly lane: Lane
  /** Lower goes first. */
  readonly rank: number
  readonly caller: string
  readonly charge: Charge
  /** Absent: it is. */
  readonly isReady?: () => boolean
}

/** What stands against going at this instant. */
export interface Obstacles<W> {
  closed(lane: Lane): boolean
  stops(waiter: W): boolean
}

/**
 * Who goes next. Messages that are no request before all; then the lower rank first, and within one rank the callers
 * in turn. Nobody starves: a rank, or a lane, that has been passed over nine times while it could have gone goes next.
 */
export interface Queue<W extends Waiter> {
  readonly size: number
  add(waiter: W): void
  /** False where it was not there. */
  remove(waiter: W): boolean
  /** The next of those that nothing stands against. It stays in the queue. */
  next(obstacles: Obstacles<W>): W | undefined
  /** Removes the one that `next` gave last, and counts its turn. */
  take(waiter: W): void
  copy(): Queue<W>
}

/** The waiters of one rank, each caller's in their order; whoever had a turn goes behind the other callers. */
type Line<W> = Map<string, W[]>

interface State<W> {
  readonly lanes: Map<Lane, Map<number, Line<W>>>
  /** How often in a row a rank of a lane, or a lane, was passed over. */
  readonly passed: Map<string, number>
}

interface Candidate<W> {
  readonly waiter: W
  readonly key: string
}

interface Pick<W> {
  readonly waiter: W
  readonly turns: readonly string[]
  readonly passed: readonly string[]
}

export function createQueue<W extends Waiter>(): Queue<W> {
  return queueOf({ lanes: new Map(), passed: new Map() })
}

function queueOf<W extends Waiter>(state: State<W>): Queue<W> {
  const { lanes, passed } = state
  let picked: Pick<W> | undefined
  let size = 0
  for (const line of linesOf(state)) for (const own of line.values()) size += own.length

  const lineOf = ({ lane, rank }: W): Line<W> => {
    const ranks = lanes.get(lane) ?? new Map<number, Line<W>>()
    lanes.set(lane, ranks)
    const line = ranks.get(rank) ?? new Map<string, W[]>()
    ranks.set(rank, line)
    return line
  }

  const timesPassed = ({ key }: Candidate<W>) => passed.get(key) ?? 0

  /** The first, or the one passed over too often. */
  function choose(candidates: readonly Candidate<W>[]): Candidate<W> | undefined {
    const [first] = candidates
    const patient = candidates.reduce<Candidate<W> | undefined>(
      (most, one) => (most && timesPassed(most) >= timesPassed(one) ? most : one),
      undefined,
    )
    return patient && timesPassed(patient) >= SHARE - 1 ? patient : first
  }

  function candidatesOf(lane: Lane, obstacles: Obstacles<W>): Candidate<W>[] {
    if (obstacles.closed(lane)) return []
    const ranks = [...(lanes.get(lane) ?? [])].sort(([a], [b]) => a - b)
    return ranks.flatMap(([rank, line]) => {
      for (const own of line.values()) {
        const waiter = own.find((one) => !obstacles.stops(one))
        if (waiter) return [{ waiter, key: `${lane} ${rank}` }]
      }
      return []
    })
  }

  return {
    get size() {
      return size
    },
    add(waiter) {
      const line = lineOf(waiter)
      const own = line.get(waiter.caller)
      if (own) own.push(waiter)
      else line.set(waiter.caller, [waiter])
      size++
    },
    remove: (waiter) => drop(waiter, false),
    next(obstacles) {
      const [message] = candidatesOf('message', obstacles)
      const requests = (['small', 'plain'] as const).map((lane) => {
        const candidates = message ? [] : candidatesOf(lane, obstacles)
        return { lane, candidates, best: choose(candidates) }
      })
      const lanesAt = requests
        .flatMap(({ lane, best }) => (best ? [{ waiter: best.waiter, key: lane }] : []))
        .sort((a, b) => a.waiter.rank - b.waiter.rank)
      const lane = choose(lanesAt)
      const found = requests.find((one) => one.lane === lane?.key)
      const all = [...lanesAt, ...(found?.candidates ?? [])].map(({ key }) => key)
      const turns = [lane?.key, found?.best?.key].filter((key) => key !== undefined)
      const waiter = message?.waiter ?? lane?.waiter
      picked = waiter && { waiter, turns, passed: all.filter((key) => !turns.includes(key)) }
      return waiter
    },
    take(waiter) {
      drop(waiter, true)
      if (picked?.waiter !== waiter) return
      for (const key of picked.turns) passed.delete(key)
      for (const key of picked.passed) passed.set(key, (passed.get(key) ?? 0) + 1)
    },
    copy: () =>
      queueOf({
        lanes: new Map(
          [...lanes].map(([lane, ranks]) => [
            lane,
            new Map([...ranks].map(([rank, line]) => [rank, new Map([...line].map(([who, own]) => [who, [...own]]))])),
          ]),
        ),
        passed: new Map(passed),
      }),
  }

  function drop(waiter: W, hadTurn: boolean): boolean {
    const line = lineOf(waiter)
    const own = line.get(waiter.caller)
    const at = own?.indexOf(waiter) ?? -1
    if (!own || at < 0) return false
    own.splice(at, 1)
    size--
    if (own.length === 0 || hadTurn) line.delete(waiter.caller)
    if (own.length > 0 && hadTurn) line.set(waiter.caller, own)
    return true
  }
}

function linesOf<W>({ lanes }: State<W>): Line<W>[] {
  return [...lanes.values()].flatMap((ranks) => [...ranks.values()])
}
