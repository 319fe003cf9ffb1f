import { toTidegateError } from '@tidegate/core'
import type { StatusAnswer } from '@tidegate/functions'
import type { Client } from './client.ts'
import { troubleOf } from './health.ts'

/** What became of bridge and gateway since they were last looked at: of several, of each. */
export interface Standing {
  /** A line each time one can't be asked any more, needs a person, or can be asked again; not one for each of its attempts. */
  take(): Promise<string[]>
}

type Report = StatusAnswer['bridge']

interface Place {
  readonly name: string
  readonly where: 'there' | 'away' | 'login'
  readonly trouble?: string
}

/** Looks at the gateways of a Tidegate that had them when it started. */
export function createStanding(client: Pick<Client, 'status'>): Standing {
  const told = new Map<string, Place['where']>()
  return {
    async take() {
      const bridge = await client.status().then(
        (status): Report => status.bridge,
        (cause): Report => ({ ok: false, error: toTidegateError(cause).toJSON() }),
      )
      return placesOf(bridge).flatMap(({ name, where, trouble }) => {
        if (where === (told.get(name) ?? 'there')) return []
        told.set(name, where)
        return [trouble === undefined ? `${name} can be asked again.` : `${name} can't be asked: ${trouble}`]
      })
    },
  }
}

/** Nothing is known of gateways whose bridge does not answer. */
function placesOf(bridge: Report): Place[] {
  if (!bridge.ok) return [{ name: 'The bridge', where: 'away', trouble: bridge.error.message }]
  const gateways = bridge.bridges
    ? bridge.bridges.map((report) => placeOf(`The gateway of bridge ${report.name}`, report))
    : [placeOf('The gateway', bridge)]
  return [{ name: 'The bridge', where: 'there' }, ...gateways]
}

function placeOf(name: string, report: Report): Place {
  const trouble = troubleOf(report)
  if (trouble === undefined) return { name, where: 'there' }
  return { name, where: report.ok && report.gateway.phase === 'login-required' ? 'login' : 'away', trouble }
}
