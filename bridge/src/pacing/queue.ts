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
  /** The weight of all that wait in the small class. */
  readonly small: number
  /** How many of its lane go before this one, which is in it, at the least, if nobody leaves. */
  ahead(waiter: W): number
  add(waiter: W): void
  /** False where it was not there. */
  remove(waiter: W): boolean
  /** The next of those that nothing stands against. It stays in the queue. */
  next(obstacles: Obstacles<W>): W | undefined
  /** Removes the one that `next` gave last, and counts its turn. */
  take(waiter: W): void
  copy(): Queue<W>
}

/** The waiters of one rank in one lane. */
interface Line<W> {
  readonly rank: number
  /** Each caller's in their order; whoever had a turn goes behind the other callers. */
  readonly callers: Map<string, W[]>
  /** How often in a row it was passed over. */
  passed: number
}

interface Lines<W> {
  /** The lowest rank first. */
  readonly lines: Line<W>[]
  passed: number
}

type Lanes<W> = Record<Lane, Lines<W>>

interface Candidate<W> {
  readonly waiter: W
  readonly line: Line<W>
  readonly lane: Lines<W>
  /** Of the same lane, and could have gone. */
  readonly others: readonly Line<W>[]
}

export function createQueue<W extends Waiter>(): Queue<W> {
  const empty = () => ({ lines: [], passed: 0 })
  return queueOf({ message: empty(), small: empty(), plain: empty() }, 0)
}

function queueOf<W extends Waiter>(lanes: Lanes<W>, length: number): Queue<W> {
  let size = length
  let small = 0
  let picked: Candidate<W> | undefined
  let other: Candidate<W> | undefined

  function lineOf({ lane, rank }: W): Line<W> {
    const { lines } = lanes[lane]
    const found = lines.find((line) => line.rank === rank)
    if (found) return found
    const line = { rank, callers: new Map<string, W[]>(), passed: 0 }
    lines.push(line)
    lines.sort((a, b) => a.rank - b.rank)
    return line
  }

  /** Who of a lane would go: of the lowest rank, or of the one that was passed over too often. */
  function candidateOf(name: Lane, obstacles: Obstacles<W>): Candidate<W> | undefined {
    const lane = lanes[name]
    if (lane.lines.length === 0 || obstacles.closed(name)) return undefined
    let best: { waiter: W; line: Line<W> } | undefined
    const others: Line<W>[] = []
    for (const line of lane.lines) {
      const waiter = firstOf(line, obstacles)
      if (!waiter) continue
      const isOverdue = line.passed >= SHARE - 1 && line.passed > (best?.line.passed ?? 0)
      if (!best || isOverdue) {
        if (best) others.push(best.line)
        best = { waiter, line }
      } else others.push(line)
    }
    return best && { ...best, lane, others }
  }

  function drop(waiter: W, hadTurn: boolean): boolean {
    const { callers } = lineOf(waiter)
    const own = callers.get(waiter.caller)
    const at = own?.indexOf(waiter) ?? -1
    if (!own || at < 0) return false
    own.splice(at, 1)
    size--
    small -= waiter.charge.small
    if (own.length === 0 || hadTurn) callers.delete(waiter.caller)
    if (own.length > 0 && hadTurn) callers.set(waiter.caller, own)
    return true
  }

  return {
    get size() {
      return size
    },
    get small() {
      return small
    },
    ahead(waiter) {
      const own = lineOf(waiter)
      const at = own.callers.get(waiter.caller)?.indexOf(waiter) ?? 0
      let inLine = at
      let isBefore = true
      for (const [caller, all] of own.callers) {
        if (caller === waiter.caller) isBefore = false
        else inLine += Math.min(all.length, isBefore ? at + 1 : at)
      }
      let urgent = 0
      for (const { rank, callers } of lanes[waiter.lane].lines) {
        if (rank < own.rank) for (const all of callers.values()) urgent += all.length
      }
      // However many are more urgent, every tenth turn is this rank's.
      return Math.min(urgent + inLine, SHARE * inLine + SHARE - 1)
    },
    add(waiter) {
      small += waiter.charge.small
      const { callers } = lineOf(waiter)
      const own = callers.get(waiter.caller)
      if (own) own.push(waiter)
      else callers.set(waiter.caller, [waiter])
      size++
    },
    remove: (waiter) => drop(waiter, false),
    next(obstacles) {
      if (size === 0) return undefined
      other = undefined
      picked = candidateOf('message', obstacles)
      if (picked) return picked.waiter
      const small = candidateOf('small', obstacles)
      const plain = candidateOf('plain', obstacles)
      picked = small && plain ? first(small, plain) : (small ?? plain)
      other = picked === small ? plain : small
      return picked?.waiter
    },
    take(waiter) {
      drop(waiter, true)
      if (picked?.waiter !== waiter) return
      picked.line.passed = 0
      picked.lane.passed = 0
      for (const line of picked.others) line.passed++
      if (other) other.lane.passed++
    },
    copy() {
      const copyOf = ({ lines, passed }: Lines<W>): Lines<W> => ({
        passed,
        lines: lines
          .filter(({ callers }) => callers.size > 0)
          .map((line) => ({ ...line, callers: new Map([...line.callers].map(([who, own]) => [who, [...own]])) })),
      })
      return queueOf({ message: copyOf(lanes.message), small: copyOf(lanes.small), plain: copyOf(lanes.plain) }, size)
    },
  }
}

function firstOf<W extends Waiter>({ callers }: Line<W>, obstacles: Obstacles<W>): W | undefined {
  for (const own of callers.values()) for (const one of own) if (!obstacles.stops(one)) return one
  return undefined
}

/** Of two lanes: the one that was passed over too often, else the lower rank, else the one whose budget is scarce. */
function first<W extends Waiter>(small: Candidate<W>, plain: Candidate<W>): Candidate<W> {
  if (small.lane.passed >= SHARE - 1) return small
  if (plain.lane.passed >= SHARE - 1) return plain
  return small.waiter.rank <= plain.waiter.rank ? small : plain
}
