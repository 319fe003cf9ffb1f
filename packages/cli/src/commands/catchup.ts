import { formatInstant } from '@tidegate/core'
import type { Client } from '../client.ts'
import type { Context } from '../context.ts'
import { EARLIEST } from '../dataset.ts'
import { type Filled, fill } from '../fill.ts'
import { tellOutcome } from '../outcome.ts'
import { createProgress } from '../progress.ts'
import { openTarget } from '../target.ts'

export interface CatchUpOptions {
  readonly timeoutMs: number
  readonly verbose: boolean
}

/**
 * Brings a dataset up to date now, whatever its schedule says and also while it is paused, and follows that to its end. Throws
 * `not-found`, before any gateway is looked for, where none has this name. Status as of a fetch.
 */
export async function runCatchUp(context: Context, name: string, options: CatchUpOptions): Promise<number> {
  const check = async (client: Client) => void (await client.dataset(name))
  const target = await openTarget(context, { ...options, need: 'gateway', check })
  try {
    const { since } = await target.client.dataset(name)
    const window = { start: since ?? EARLIEST, end: formatInstant(Math.floor(context.now() / 1000)) }
    return await tellOutcome(context, target, { window, never: '' }, await fillShown(context, target.client, name))
  } finally {
    await target.close()
  }
}

async function fillShown(context: Context, client: Client, dataset: string): Promise<Filled> {
  const progress = createProgress(context)
  try {
    return await fill(client, { dataset }, { ...context, progress })
  } finally {
    progress.stop()
  }
}
