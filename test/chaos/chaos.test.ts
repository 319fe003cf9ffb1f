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
/** Storms by the dozen are `npm run test:chaos`. */
const SEED = 7

it(
  'when the dust of a storm has settled, what is stored is what the market had; its seed brings it again, to the message',
  async () => {
    const outcome = await runChaos(SEED, { database })
    expect(outcome.faults).toEqual([])
    // Enough was collected, and enough went wrong, for that to mean something.
    expect(outcome.bars).toBeGreaterThan(100)
    expect(outcome.kills + outcome.deaths).toBeGreaterThan(0)
    expect(await runChaos(SEED, { database })).toEqual(outcome)
  },
  TIMEOUT_MS,
)
