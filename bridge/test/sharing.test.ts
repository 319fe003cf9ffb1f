import { describe, expect, it } from 'vitest'
import { createSharing } from '../src/sharing.ts'
import { createFakeClock, settled } from './clock.ts'

const stay = { priority: 'backfill', waitMs: 60_000, signal: new AbortController().signal } as const

describe('answers kept for sharing', () => {
  it('hold so much in all and no more: the oldest goes first', async () => {
    const clock = createFakeClock()
    const sharing = createSharing<string>(clock, { maxSize: 10, sizeOf: (answer) => answer.length })
    const asked: string[] = []
    const share = (key: string, size: number) =>
      sharing.share(key, stay, async () => {
        asked.push(key)
        return key.repeat(size)
      })
    for (const [key, size] of [
      ['a', 4],
      ['b', 4],
      ['c', 4],
      ['b', 4],
      ['c', 4],
      ['a', 4],
    ] as const) {
      expect(await share(key, size)).toBe(key.repeat(size))
      await settled()
    }
    expect(asked).toEqual(['a', 'b', 'c', 'a'])
    // One that is larger than everything kept may be is answered, and not kept; nor is its timer.
    await share('d', 11)
    await settled()
    expect(clock.pending).toBe(0)
    await share('d', 11)
    expect(asked.filter((key) => key === 'd')).toHaveLength(2)
  })

  it('are forgotten at once when they are cleared, one under way among them', async () => {
    const clock = createFakeClock()
    const sharing = createSharing<string>(clock, { maxSize: 10, sizeOf: (answer) => answer.length })
    const { promise, resolve } = Promise.withResolvers<string>()
    await sharing.share('a', stay, async () => 'first')
    const underWay = sharing.share('b', stay, () => promise)
    sharing.clear()
    resolve('late')
    expect(await underWay).toBe('late')
    await settled()
    expect(clock.pending).toBe(0)
    expect(await sharing.share('a', stay, async () => 'second')).toBe('second')
  })

  it('are forgotten when another gateway may have come, and one under way is not', async () => {
    const clock = createFakeClock()
    const sharing = createSharing<string>(clock, { maxSize: 10, sizeOf: (answer) => answer.length })
    const { promise, resolve } = Promise.withResolvers<string>()
    await sharing.share('a', stay, async () => 'first')
    const underWay = sharing.share('b', stay, () => promise)
    sharing.forget()
    resolve('late')
    expect(await sharing.share('b', stay, async () => 'second')).toBe('late')
    expect(await underWay).toBe('late')
    expect(await sharing.share('a', stay, async () => 'second')).toBe('second')
  })
})
