import type { EmbeddedDatabase } from '@tidegate/db'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { freshPglite } from '../support/pglite.ts'
import { runChaos } from './run.ts'

let database: EmbeddedDatabase
beforeAll(async () => {
  database = await freshPglite()
})
afterAll(() => database?.close())

/** A few seconds each; many times that on a machine with much else to do. */
const TIMEOUT_MS = 180_000

it.each([1, 2, 3, 4])(
  'when the dust of storm %i has settled, what is stored is what the market had',
  async (seed) => {
    const outcome = await runChaos(seed, { database })
    expect(outcome.faults).toEqual([])
    // Enough was collected, and enough went wrong, for that to mean something.
    expect(outcome.bars).toBeGreaterThan(100)
    expect(outcome.kills + outcome.deaths).toBeGreaterThan(0)
  },
  TIMEOUT_MS,
)

it(
  'a seed is the same storm each time, to the message',
  async () => {
    const first = await runChaos(5, { database })
    const second = await runChaos(5, { database })
    expect(second).toEqual(first)
  },
  TIMEOUT_MS,
)
