import { TidegateError } from '@tidegate/core'
import type { IngestOptions } from './types.ts'

/** Questions of one tick: a Worker has to be done within seconds, and ticks come each minute. */
const MOST_OF_TICK = 100
/** So long a tick goes on asking, and so long somebody waits who starts a dataset by hand: what is left, later ticks ask. */
const ASKING_MS = { tick: 45_000, start: 120_000 }
/** A bridge that takes longer for one question hangs, or has lost it. */
const QUESTION_MS = 30_000

/** How many questions may be asked of the gateway. */
export interface Questions {
  left: number
  /** Whether it has taken so long that nothing more is to be asked. */
  isOver(): boolean
}

/** The questions of a start by hand: all there are, as long as there is time. */
export function questionsOfStart(now: () => number): Questions {
  const untilMs = now() + ASKING_MS.start
  return { left: Number.POSITIVE_INFINITY, isOver: () => now() >= untilMs }
}

export interface TickQuestions<T> {
  /** Those who may want some, in the order in which they are to ask. */
  readonly turns: readonly T[]
  /** What the one whose turn it is may ask. */
  shareOf(turn: number): Questions
  /** What it has not asked others may. */
  giveBack(share: Questions): void
}

/**
 * Divides a tick's questions among those who want some, each as many as `wants` says: in its turn each may ask as many, but no
 * more than leaves all after it an equal share. With more of them than there are questions, the next ones begin each minute.
 */
export function questionsOfTick<T>(all: readonly T[], wants: (one: T) => number, now: () => number): TickQuestions<T> {
  const untilMs = now() + ASKING_MS.tick
  const isOver = () => now() >= untilMs
  const first = all.length <= MOST_OF_TICK ? 0 : (Math.floor(now() / 60_000) * MOST_OF_TICK) % all.length
  const turns = [...all.slice(first), ...all.slice(0, first)]
  const counts = turns.map(wants)
  let left = MOST_OF_TICK
  return {
    turns,
    shareOf(turn) {
      const after = counts.slice(turn + 1).filter((count) => count > 0)
      const spare = left - after.reduce((sum, count) => sum + count, 0)
      const share = Math.max(Math.ceil(left / (after.length + 1)), spare)
      left -= share
      return { left: share, isOver }
    },
    giveBack(share) {
      left += share.left
      share.left = 0
    },
  }
}

/** Asks one question; throws `timeout` where no answer comes in time. */
export async function answered<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  { timeout = (ms) => AbortSignal.timeout(ms) }: Pick<IngestOptions, 'timeout'>,
): Promise<T> {
  const signal = timeout(QUESTION_MS)
  try {
    return await ask(signal)
  } catch (cause) {
    if (!signal.aborted) throw cause
    throw new TidegateError('timeout', `The bridge did not answer within ${QUESTION_MS / 1000} s.`, { cause })
  }
}
