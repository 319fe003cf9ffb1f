import { openPglite } from '@tidegate/db'
import { type Outcome, runChaos } from './run.ts'

/** What a worker is told: run this seed. */
export interface Task {
  readonly seed: number
  readonly verbose: boolean
}

/** What a worker tells: a line of the story, or what became of its seed. */
export type Told = { readonly line: string } | { readonly outcome: Outcome } | { readonly thrown: string }

/** Runs the seeds that its parent process names, one after another, over one database; ends when the parent hangs up. */
async function serve(tell: (told: Told) => void): Promise<void> {
  const database = await openPglite()
  await database.migrate()
  process.on('message', async ({ seed, verbose }: Task) => {
    try {
      const print = verbose ? { print: (line: string) => tell({ line }) } : {}
      tell({ outcome: await runChaos(seed, { database, ...print }) })
    } catch (cause) {
      tell({ thrown: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause) })
    }
  })
  process.on('disconnect', () => process.exit())
}

const send = process.send?.bind(process)
if (send) await serve((told) => send(told))
