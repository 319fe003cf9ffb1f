/** Seconds of IBKR's literal sizes below a day; `1 day`, `1 week` and `1 month` are dates, not seconds. */
const UNIT_SECONDS: Readonly<Record<string, number>> = { sec: 1, min: 60, hour: 3600 }

export type DatedSize = '1 day' | '1 week' | '1 month'

export function isDated(barSize: string): barSize is DatedSize {
  return barSize === '1 day' || barSize === '1 week' || barSize === '1 month'
}

/** Seconds of `1 secs` … `8 hours`. Throws on a text that is no such size. */
export function secondsOf(barSize: string): number {
  const match = /^([1-9]\d?) (sec|min|hour)s?$/.exec(barSize)
  const unit = UNIT_SECONDS[match?.[2] ?? '']
  if (!match || unit === undefined) {
    throw new Error(`${JSON.stringify(barSize)} is no bar size; 1 secs to 8 hours, 1 day, 1 week and 1 month are.`)
  }
  return Number(match[1]) * unit
}
