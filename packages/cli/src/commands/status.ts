import type { StatusAnswer } from '@tidegate/functions'
import type { BridgeReport } from '@tidegate/relay'
import type { Context } from '../context.ts'
import { listOf } from '../table.ts'
import { openTarget } from '../target.ts'
import { entriesOf } from './connect.ts'
import { seriesText } from './series.ts'

export interface StatusOptions {
  readonly timeoutMs: number
  readonly verbose: boolean
}

/** Prints the health of database and bridge, and what is stored. Status 1 when either does not answer. */
export async function runStatus(context: Context, options: StatusOptions): Promise<number> {
  const { out, columns } = context
  const target = await openTarget(context, { ...options, need: 'status' })
  try {
    const status = await target.client.status()
    const here = 'No Tidegate is serving in this folder; this command looked itself.'
    out(`${target.url ? `Tidegate at ${target.url}` : here}\n`)
    out(listOf(healthOf(status, target.hasDatabase), columns))
    if (status.database.ok) out(seriesText(await target.client.series(), columns))
    return status.database.ok && status.bridge.ok && status.bridge.gateway.state === 'ready' ? 0 : 1
  } finally {
    await target.close()
  }
}

function healthOf({ database, bridge }: StatusAnswer, hasDatabase: boolean): [string, string][] {
  const answers = hasDatabase ? 'answers' : 'none yet: the first start or fetch makes it'
  const first: [string, string] = ['database', database.ok ? answers : database.error.message]
  if (!bridge.ok) return [first, ['bridge', bridge.error.message]]
  const { open, maxOpen, queued, messagesInLastSecond, maxMessagesPerSecond } = bridge.pacing
  return [
    first,
    ['bridge', bridge.bridges ? 'answers, the first of these that is ready' : 'answers'],
    ...(bridge.bridges ?? []).map(bridgeEntry),
    ['requests', `${open} of ${maxOpen} open, ${queued} waiting`],
    ['messages', `${messagesInLastSecond} of ${maxMessagesPerSecond} in the last second`],
    ...entriesOf(bridge.gateway),
  ]
}

/** One bridge of several, in a line. */
function bridgeEntry(report: BridgeReport): [string, string] {
  const name = `bridge ${report.name}`
  if (!report.ok) return [name, report.error.message]
  const { gateway, pacing } = report
  const reason = gateway.reason ? `: ${gateway.reason}` : ''
  const { open, maxOpen, queued } = pacing
  return [name, `${gateway.phase}${reason}; ${open} of ${maxOpen} open, ${queued} waiting`]
}
