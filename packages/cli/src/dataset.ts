import { formatInstant, type Hours, type TidegateError, toTidegateError } from '@tidegate/core'
import type { Store } from '@tidegate/db'
import type { Client, FetchBody } from './client.ts'
import type { Context } from './context.ts'
import { type Filled, type FillOptions, fill } from './fill.ts'
import type { FirstPart } from './first.ts'
import { hinted } from './hint.ts'
import { createProgress } from './progress.ts'
import { filledTable, pendingText, troublesOf } from './report.ts'
import type { Stack } from './stack.ts'

/** Datasets are brought up to date as often as the schedule looks. */
const EVERY_SEC = 60
const DAY_SEC = 86_400

/** Declares the datasets and fills them, with a table at the end. True when nothing that should be there is missing. */
export async function fillFirst(
  context: Context,
  { client, functions }: Stack,
  first: readonly FirstPart[],
  hours: Hours,
): Promise<boolean> {
  const nowSec = Math.floor(context.now() / 1000)
  const bodies = await declare(functions.store, first, nowSec, hours)
  const progress = createProgress(context)
  let parts: Part[]
  try {
    parts = await Promise.all(bodies.map((body) => fillPart(client, body, { ...context, progress })))
  } finally {
    progress.stop()
  }
  const filled = parts.flatMap((part) => ('filled' in part ? part : []))
  const unfilled = parts.flatMap((part) => ('error' in part ? part : []))
  const [foremost] = unfilled
  if (foremost && filled.length === 0) throw foremost.error
  context.out((await filledTable(client, filled, context.columns)) + pendingText(filled.map((part) => part.filled)))
  if (context.signal.aborted) {
    context.err('Interrupted. What was fetched is stored; the next start goes on where this one stopped.\n')
    return false
  }
  const troubles = [
    ...unfilled.map(({ body, error }) => `not fetched: ${hinted(error.message, body.instruments, nowSec)}`),
    ...filled.flatMap((part) => troublesOf(part.filled, nowSec)),
  ]
  for (const trouble of troubles) context.err(`${trouble}\n`)
  return troubles.length === 0
}

type Part =
  | { readonly body: FetchBody; readonly filled: Filled }
  | { readonly body: FetchBody; readonly error: TidegateError }

/** Fills one part. That its instruments can't be had, or not by this login, is its own trouble and not the others'. */
async function fillPart(client: Client, body: FetchBody, options: FillOptions): Promise<Part> {
  try {
    return { body, filled: await fill(client, body, options) }
  } catch (cause) {
    const error = toTidegateError(cause)
    if (error.kind !== 'not-found' && error.kind !== 'invalid' && error.kind !== 'no-permission') throw cause
    return { body, error }
  }
}

/** Puts the datasets in the store; one that is there keeps the instant it began at. What to fetch for each, up to now. */
async function declare(store: Store, first: readonly FirstPart[], nowSec: number, hours: Hours): Promise<FetchBody[]> {
  const known = new Map((await store.datasets()).map((dataset) => [dataset.name, dataset]))
  const bodies: FetchBody[] = []
  for (const { name, instruments, spec, days } of first) {
    const since = known.get(name)?.since ?? Math.floor(nowSec / DAY_SEC) * DAY_SEC - days * DAY_SEC
    const wants = instruments.map((instrumentId) => ({ instrumentId, spec, hours }))
    await store.putDataset({ name, wants, since, everySec: EVERY_SEC })
    bodies.push({ instruments, specs: [spec], hours, start: formatInstant(since), end: formatInstant(nowSec) })
  }
  return bodies
}
