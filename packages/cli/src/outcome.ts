import type { FetchBody } from './client.ts'
import type { Context } from './context.ts'
import type { Filled } from './fill.ts'
import { NOTHING_FINAL } from './plan.ts'
import { filledTable, pendingText, troublesOf } from './report.ts'
import type { Target } from './target.ts'

const INTERRUPTED = 130

export interface Asked {
  /** What of the stored bars is counted: what was asked for. */
  readonly window: Pick<FetchBody, 'start' | 'end'>
  /** What of it can never be had, in words; empty where that is nothing. */
  readonly never: string
}

/** Tells what became of what was asked for. Status 0 when all of it that is final is covered, 1 otherwise, 130 when interrupted. */
export async function tellOutcome(
  context: Context,
  { client, url }: Pick<Target, 'client' | 'url'>,
  { window, never }: Asked,
  filled: Filled,
): Promise<number> {
  context.out((await filledTable(client, [{ body: window, filled }], context.columns)) + pendingText([filled]) + never)
  if (filled.interrupted) {
    context.err(`Interrupted. ${goingOn(filled, url)}\n`)
    return INTERRUPTED
  }
  const troubles = troublesOf(filled, context.now() / 1000)
  for (const trouble of troubles) context.err(`${trouble}\n`)
  if (troubles.length > 0) return 1
  if (filled.nothingFinal) context.out(`${NOTHING_FINAL} Nothing was asked of the gateway.\n`)
  else if (filled.chunks === 0) {
    const covered = never ? 'All that can be had was covered already' : 'Everything was covered already'
    context.out(`${covered}: nothing was asked of the gateway.\n`)
  }
  return 0
}

function goingOn({ runId }: Filled, url: string | undefined): string {
  if (url === undefined) {
    return 'What was fetched is stored; the same command goes on where this one stopped. Finishing what is under way.'
  }
  if (runId === undefined) return 'The same command goes on where this one stopped.'
  return (
    `The run goes on in the Tidegate at ${url} as ${runId}. The same command follows it again; ` +
    `its own state is at GET ${new URL(`/v1/runs/${runId}`, url)}`
  )
}
