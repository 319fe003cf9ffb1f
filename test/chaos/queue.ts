import type { ChunkQueue, WorkResult } from '@tidegate/ingest'
import type { Dice } from './dice.ts'
import type { Time } from './time.ts'

/** A message whose work throws comes again so often, so much later, and is then given up. */
const ATTEMPTS = 4
const AGAIN_MS = 60_000
const LATEST_MS = 20 * 60_000

/** A queue that delivers late, twice or never while it storms, and as it should once that is over. */
export interface ShakenQueue {
  /** What a process sends by. */
  readonly send: ChunkQueue['send']
  readonly stats: { sent: number; lost: number; doubled: number; late: number; buried: number }
}

interface Parts {
  readonly time: Time
  readonly dice: Dice
  readonly isStormy: () => boolean
  readonly work: (chunkId: string) => Promise<WorkResult>
  readonly bury: (chunkId: string) => Promise<void>
  /** Workers at once. */
  readonly most: number
}

export function createQueue({ time, dice, isStormy, work, bury, most }: Parts): ShakenQueue {
  const stats = { sent: 0, lost: 0, doubled: 0, late: 0, buried: 0 }
  const ready: { readonly chunkId: string; readonly attempt: number }[] = []
  let working = 0

  function post(chunkId: string, attempt: number, delayMs: number): void {
    time.after(delayMs, () => {
      ready.push({ chunkId, attempt })
      pump()
    })
  }

  function pump(): void {
    while (working < most) {
      const message = ready.shift()
      if (!message) return
      working++
      void take(message.chunkId, message.attempt).finally(() => {
        working--
        pump()
      })
    }
  }

  async function take(chunkId: string, attempt: number): Promise<void> {
    try {
      await work(chunkId)
    } catch {
      // Whoever worked on it has died or has no database: engines bring it again, and say so once they give up.
      if (attempt < ATTEMPTS) return post(chunkId, attempt + 1, AGAIN_MS * attempt)
      stats.buried++
      await bury(chunkId).catch(() => post(chunkId, ATTEMPTS, AGAIN_MS))
    }
  }

  return {
    stats,
    async send(chunkIds, delaySec = 0) {
      if (isStormy() && dice.chance(0.02)) throw new Error('the queue is gone')
      for (const chunkId of chunkIds) {
        stats.sent++
        const fate = isStormy() ? dice.next() : 1
        if (fate < 0.08) {
          stats.lost++
          continue
        }
        const lateMs = fate < 0.2 ? dice.whole(1, LATEST_MS) : 0
        if (lateMs > 0) stats.late++
        post(chunkId, 1, delaySec * 1000 + lateMs)
        if (fate < 0.2 || fate >= 0.3) continue
        stats.doubled++
        post(chunkId, 1, delaySec * 1000 + dice.whole(0, 5000))
      }
      if (isStormy() && dice.chance(0.02)) throw new Error('the queue took it, and its answer was lost')
    },
  }
}
