import type { StatusAnswer } from '@tidegate/functions'
import type { Context } from '../context.ts'
import { listOf } from '../table.ts'
import { openTarget } from '../target.ts'
import { entriesOf } from './connect.ts'
import { type SeriesOptions, seriesText } from './series.ts'

/** Prints the health of database and bridge, and what is stored. Status 1 when either does not answer. */
export async function runStatus(context: Context, options: SeriesOptions): Promise<number> {
  const target = await openTarget(context, { ...options, need: 'status' })
  try {
    const status = await target.client.status()
    context.out(`${target.url ? `Tidegate at ${target.url}` : 'No Tidegate runs here; looked from this command.'}\n`)
    context.out(listOf(healthOf(status)))
    if (status.database.ok) context.out(seriesText(await target.client.series()))
    return status.database.ok && status.bridge.ok && status.bridge.gateway.state === 'ready' ? 0 : 1
  } finally {
    await target.close()
  }
}

function healthOf({ database, bridge }: StatusAnswer): [string, string][] {
  const first: [string, string] = ['database', database.ok ? 'answers' : database.error.message]
  if (!bridge.ok) return [first, ['bridge', bridge.error.message]]
  const { open, maxOpen, queued, messagesInLastSecond, maxMessagesPerSecond } = bridge.pacing
  return [
    first,
    ['bridge', 'answers'],
    ['requests', `${open} of ${maxOpen} open, ${queued} waiting`],
    ['messages', `${messagesInLastSecond} of ${maxMessagesPerSecond} in the last second`],
    ...entriesOf(bridge.gateway),
  ]
}
