import { formatInstant, resetsAround } from '@tidegate/core'
import type { AdjustmentsAnswer, StatusAnswer } from '@tidegate/functions'
import type { BridgeReport, BridgeStatus } from '@tidegate/relay'
import type { Client } from './client.ts'
import { inWords } from './duration.ts'
import { entriesOf, loginText } from './gateway.ts'
import { instantCell } from './table.ts'

export interface HealthOptions {
  /** Whether there is a database at all. */
  readonly hasDatabase: boolean
  /** Epoch seconds. */
  readonly nowSec: number
}

/** Whether database and bridge answer, what holds requests back, and how the gateway is connected: a line a fact. */
export function healthOf({ database, bridge }: StatusAnswer, options: HealthOptions): [string, string][] {
  const answers = options.hasDatabase ? 'answers' : 'none yet: the first start or fetch makes it'
  const first: [string, string] = ['database', database.ok ? answers : database.error.message]
  const reset = resetEntry(options.nowSec)
  if (!bridge.ok) return [first, ['bridge', bridge.error.message], ...reset]
  const { gateway, pacing, bridges } = bridge
  const { open, maxOpen, queued, messagesInLastSecond, maxMessagesPerSecond } = pacing
  const held = heldText(pacing)
  return [
    first,
    ['bridge', bridges ? 'answers, the first of these that is ready' : 'answers'],
    ...(bridges ?? []).map(bridgeEntry),
    ...(bridges || gateway.phase === 'ready' ? [] : [['login', loginText(gateway)] as [string, string]]),
    ...reset,
    ['requests', `${open} of ${maxOpen} open, ${queued} waiting${bridges ? '' : held}`],
    ['messages', `${messagesInLastSecond} of ${maxMessagesPerSecond} in the last second`],
    ...entriesOf(gateway),
  ]
}

/** Why nothing can be asked of the gateway now; undefined where it can. Of several bridges one that is ready is enough. */
export function troubleOf(bridge: StatusAnswer['bridge']): string | undefined {
  if (!bridge.ok) return bridge.error.message
  return bridge.gateway.state === 'ready' ? bridge.pacing.trouble : loginText(bridge.gateway)
}

/** What keeps the newest from coming, where a Tidegate serves at `url` and its gateway can't be asked; empty otherwise. */
export async function awayText(client: Pick<Client, 'status'>, url: string | undefined): Promise<string> {
  if (url === undefined) return ''
  const trouble = troubleOf((await client.status()).bridge)
  return trouble === undefined ? '' : `Nothing newer comes for now: ${trouble}\n`
}

/** One bridge of several, in a line. */
function bridgeEntry(report: BridgeReport): [string, string] {
  const name = `bridge ${report.name}`
  if (!report.ok) return [name, report.error.message]
  const { open, maxOpen, queued } = report.pacing
  const requests = `${open} of ${maxOpen} open, ${queued} waiting${heldText(report.pacing)}`
  return [name, `${loginText(report.gateway).replace(/\.$/, '')}; ${requests}`]
}

/** What keeps requests from going although the gateway is there; empty where nothing does. */
function heldText({ heldMs, trouble }: BridgeStatus['pacing']): string {
  const held = [
    ...(heldMs.messages > 0 ? [`all for ${inWords(heldMs.messages / 1000)}`] : []),
    ...(heldMs.small > 0 ? [`those of bars up to 30 seconds for ${inWords(heldMs.small / 1000)}`] : []),
  ]
  const complained = held.length > 0 ? `; held since the gateway complained: ${held.join(', ')}` : ''
  return `${complained}${trouble ? `; held: ${trouble}` : ''}`
}

/** Within a reset of IBKR's servers connections break, and what is due waits for its end. */
function resetEntry(nowSec: number): [string, string][] {
  const reset = resetsAround(nowSec)
  if (!reset) return []
  const until = instantCell(formatInstant(reset.end))
  return [['reset', `IBKR restarts its servers until ${until} UTC: what falls due before waits for that`]]
}

/** Series that are collected again after a split, a line each; empty where there are none. */
export function collectingText({ adjustments }: AdjustmentsAnswer): string {
  const lines = adjustments.map(({ id, instrumentId, spec, hours, chunks: { open, done, failed }, error }) => {
    const trouble = error ? `: ${error.message}` : ''
    return `  ${id}: ${instrumentId} ${spec}, ${hours} hours, ${done} of ${open + done + failed} chunks${trouble}\n`
  })
  if (lines.length === 0) return ''
  return `Collected again after a split; readers see these as they were until all of it is there:\n${lines.join('')}`
}
