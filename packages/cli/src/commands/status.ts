import type { Client } from '../client.ts'
import type { Context } from '../context.ts'
import { collectingText, healthOf } from '../health.ts'
import { jsonText } from '../json.ts'
import { listOf } from '../table.ts'
import { openTarget } from '../target.ts'
import { seriesText } from './series.ts'

/** The most that the interface lists at once. */
const MOST_ADJUSTMENTS = 1000

export interface StatusOptions {
  readonly json: boolean
  readonly timeoutMs: number
  readonly verbose: boolean
}

/** Prints the health of database and bridge, and what is stored. Status 1 when either does not answer. */
export async function runStatus(context: Context, { json, ...options }: StatusOptions): Promise<number> {
  const { out, columns } = context
  const target = await openTarget(context, { ...options, need: 'status' })
  try {
    const status = await target.client.status()
    const stored = status.database.ok ? await storedIn(target.client) : undefined
    if (json) {
      out(jsonText({ ...status, ...stored }))
    } else {
      const here = 'No Tidegate is serving in this folder; this command looked itself.'
      const nowSec = Math.floor(context.now() / 1000)
      out(`${target.url ? `Tidegate at ${target.url}` : here}\n`)
      out(listOf(healthOf(status, { hasDatabase: target.hasDatabase, nowSec }), columns))
      if (stored) out(seriesText(stored, columns) + collectingText(stored))
    }
    return status.database.ok && status.bridge.ok && status.bridge.gateway.state === 'ready' ? 0 : 1
  } finally {
    await target.close()
  }
}

/** What is stored, and what of it is being collected again. */
async function storedIn(client: Client) {
  const { series } = await client.series()
  const { adjustments } = await client.adjustments({ limit: MOST_ADJUSTMENTS })
  return { series, adjustments: adjustments.filter(({ state }) => state === 'collecting') }
}
