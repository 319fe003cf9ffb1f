import type { ChunkQueue, WorkResult } from '@tidegate/ingest'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

export interface QueueUnderTest extends ChunkQueue {
  /** How many messages it may work on at once. */
  readonly concurrency: number
  /** How often it hands over a message that can't be worked on, before it gives it up. */
  readonly tries: number
  close(): Promise<void>
}

/** For a queue whose messages do not die. */
export const noBurial = async (chunkId: string): Promise<never> => {
  throw new Error(`The message of chunk ${chunkId} was given up.`)
}

const NOTHING: WorkResult = { outcome: 'nothing', written: 0 }
const eventually = (check: () => void) => vi.waitFor(check, { timeout: 10_000, interval: 10 })

/** What every queue engine behind the seam must do. `open` gives an empty queue. */
export function queueBehaviour(name: string, open: () => Promise<QueueUnderTest>): void {
  describe(`${name} as a queue of chunks`, () => {
    let queue: QueueUnderTest
    beforeEach(async () => {
      queue = await open()
    })
    afterEach(() => queue.close())

    it('hands over every id that was sent, whatever their number', async () => {
      const ids = Array.from({ length: 230 }, (_, i) => String(i + 1))
      const worked: string[] = []
      await queue.consume(async (id) => {
        worked.push(id)
        return NOTHING
      }, noBurial)
      await queue.send(ids)
      await queue.send([])
      await eventually(() => expect(new Set(worked)).toEqual(new Set(ids)))
      expect(worked).toHaveLength(ids.length)
    })

    it('keeps what is sent before anybody works', async () => {
      await queue.send(['11', '12'])
      const worked: string[] = []
      await queue.consume(async (id) => {
        worked.push(id)
        return NOTHING
      }, noBurial)
      await eventually(() => expect(worked.sort()).toEqual(['11', '12']))
    })

    it('works on several at once, and never on more than it may', async () => {
      let open = 0
      let most = 0
      let done = 0
      await queue.consume(async () => {
        most = Math.max(most, ++open)
        await new Promise((resolve) => setTimeout(resolve, 5))
        open--
        done++
        return NOTHING
      }, noBurial)
      await queue.send(Array.from({ length: 60 }, (_, i) => String(i + 1)))
      await eventually(() => expect(done).toBe(60))
      expect(most).toBe(queue.concurrency)
    })

    it('lets a slow chunk hold up none that came with it', async () => {
      const slow = Promise.withResolvers<void>()
      const worked: string[] = []
      await queue.consume(async (id) => {
        if (id === '1') await slow.promise
        worked.push(id)
        return NOTHING
      }, noBurial)
      await queue.send(['1', '2', '3', '4'])
      await eventually(() => expect(worked.sort()).toEqual(['2', '3', '4']))
      slow.resolve()
      await eventually(() => expect(worked).toContain('1'))
    })

    it('lets a chunk that throws stop no other', async () => {
      const worked: string[] = []
      await queue.consume(async (id) => {
        if (id === '1') throw new Error('the database is gone')
        worked.push(id)
        return NOTHING
      }, noBurial)
      await queue.send(['1', '2', '3'])
      await queue.send(['4'])
      await eventually(() => expect(worked.sort()).toEqual(['2', '3', '4']))
    })

    it('holds a delayed message back for as long as asked, and no other behind it', async () => {
      const workedAtMs = new Map<string, number>()
      await queue.consume(async (id) => {
        workedAtMs.set(id, Date.now())
        return NOTHING
      }, noBurial)
      const sentAtMs = Date.now()
      await queue.send(['1'], 1)
      await queue.send(['2'])
      await eventually(() => expect([...workedAtMs.keys()]).toEqual(['2', '1']))
      expect((workedAtMs.get('1') ?? 0) - sentAtMs).toBeGreaterThanOrEqual(950)
    })

    it('lets a chunk come again that must wait, and works on others meanwhile: nobody holds it', async () => {
      const worked: string[] = []
      await queue.consume(async (id) => {
        worked.push(id)
        if (worked.filter((one) => one === id).length === 1 && id !== '9') {
          await queue.send([id], 1)
          return { outcome: 'requeued', written: 0, retryAfterSec: 1 }
        }
        return NOTHING
      }, noBurial)
      // More than it may work on at once.
      const busy = Array.from({ length: queue.concurrency + 2 }, (_, i) => String(i + 1)).filter((id) => id !== '9')
      await queue.send([...busy, '9'])
      await eventually(() => expect(worked).toHaveLength(2 * busy.length + 1))
      expect(worked.slice(0, busy.length + 1)).toContain('9')
    })

    it('takes the same id as often as it is sent, and hands it over at least once', async () => {
      const worked: string[] = []
      await queue.consume(async (id) => {
        worked.push(id)
        return NOTHING
      }, noBurial)
      await queue.send(['1', '1', '2'])
      await queue.send(['1'])
      await queue.send(['3'])
      await eventually(() => expect(new Set(worked)).toEqual(new Set(['1', '2', '3'])))
    })

    it('hands over again what could not be worked on, and no more once it was', async () => {
      const worked: string[] = []
      await queue.consume(async (id) => {
        worked.push(id)
        if (id === '1' && worked.filter((one) => one === id).length < queue.tries)
          throw new Error('the database is gone')
        return NOTHING
      }, noBurial)
      await queue.send(['1', '2'])
      await eventually(() => expect(worked.filter((id) => id === '1')).toHaveLength(queue.tries))
      expect(worked.filter((id) => id === '2')).toHaveLength(1)
    })

    it('asks for more once there is nothing left, and works on that too', async () => {
      const worked: string[] = []
      const held = ['3', '4']
      await queue.consume(
        async (id) => {
          worked.push(id)
          return NOTHING
        },
        noBurial,
        async () => {
          const more = worked.length >= 2 ? held.splice(0) : []
          await queue.send(more)
          return more.length
        },
      )
      await queue.send(['1', '2'])
      await eventually(() => expect(worked.toSorted()).toEqual(['1', '2', '3', '4']))
    })

    it('gives up what can never be worked on, and says so once', async () => {
      const worked: string[] = []
      const buried: string[] = []
      await queue.consume(
        async (id) => {
          worked.push(id)
          if (id === '1') throw new Error('the end of every worker')
          return NOTHING
        },
        async (id) => {
          buried.push(id)
        },
      )
      await queue.send(['1', '2'])
      await eventually(() => expect(buried).toEqual(['1']))
      expect(worked.filter((id) => id === '1')).toHaveLength(queue.tries)
    })
  })
}
