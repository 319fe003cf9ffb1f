import type { NodeOptions } from '@tidegate/functions'

type Log = NodeOptions['log']

/** What was written since it was last looked at. */
export interface News {
  /** The log it learns from: everything said to it goes on to the one underneath. */
  readonly log: Log
  /** `12 new bars in 3 series`; undefined where nothing came. Looking begins anew. */
  take(): string | undefined
}

/** Counts the bars that chunks have brought, by what is logged of each. */
export function createNews(log: Log): News {
  let bars = 0
  let series = new Set<unknown>()
  const count = (fields: object) => {
    if (!('written' in fields) || !('series' in fields) || typeof fields.written !== 'number') return
    bars += fields.written
    if (fields.written > 0) series.add(fields.series)
  }
  return {
    log: {
      info: (fields, message) => {
        count(fields)
        log.info(fields, message)
      },
      warn: (fields, message) => log.warn(fields, message),
      error: (fields, message) => log.error(fields, message),
    },
    take() {
      const text = bars === 0 ? undefined : `${counted(bars, 'new bar')} in ${series.size} series`
      bars = 0
      series = new Set()
      return text
    },
  }
}

function counted(count: number, what: string): string {
  return `${count.toLocaleString('en-US')} ${what}${count === 1 ? '' : 's'}`
}
