/**
 * Bars (or ticks, or as much of anything else) of all answers that wait to be read, at a hundred bytes each: some 30 MB,
 * of the hundred or so that the process may take.
 */
const MOST_HELD = 300_000

/** Somebody who is owed answers: one reply, or one socket. */
export interface Reader {
  /** An answer of that size waits for him from now on, until what this returns is called. */
  hold(size: number): () => void
  /** He has taken something. */
  took(): void
  /** He takes nothing more. */
  leave(): void
}

/** The answers that wait to be read, whoever is to read them. */
export interface Shelf {
  /** `cut` ends him, and what waits for him is held no longer. */
  reader(cut: () => void): Reader
  /** What is held for all readers. */
  readonly size: number
}

interface Held {
  size: number
  answers: number
  readonly cut: () => void
}

/**
 * Bounds what is held for readers who do not read: beyond `most`, whoever has taken nothing for the longest is cut off,
 * until it fits. A single answer is never too much: it was in memory before.
 */
export function createShelf(most = MOST_HELD): Shelf {
  /** Who took something the longest ago comes first. */
  const readers = new Map<Reader, Held>()
  let size = 0
  let answers = 0

  function leave(reader: Reader): void {
    const held = readers.get(reader)
    if (!held) return
    readers.delete(reader)
    size -= held.size
    answers -= held.answers
  }

  function makeRoom(): void {
    for (const [reader, held] of readers) {
      if (size <= most || answers < 2) return
      if (held.answers === 0) continue
      leave(reader)
      held.cut()
    }
  }

  return {
    get size() {
      return size
    },
    reader(cut) {
      const held: Held = { size: 0, answers: 0, cut }
      const reader: Reader = {
        hold(more) {
          if (!readers.has(reader)) return () => {}
          held.size += more
          held.answers++
          size += more
          answers++
          let isHeld = true
          makeRoom()
          return () => {
            if (!isHeld) return
            isHeld = false
            if (!readers.has(reader)) return
            held.size -= more
            held.answers--
            size -= more
            answers--
          }
        },
        took() {
          if (!readers.delete(reader)) return
          readers.set(reader, held)
        },
        leave: () => leave(reader),
      }
      readers.set(reader, held)
      return reader
    },
  }
}
