import { parseInstant, parseInstrument, parseTimeframe, TidegateError, window } from '@tidegate/core'
import { hinted } from './hint.ts'

/** What a person wrote for a window of series, as it was written; undefined where nothing was. */
export interface Asked {
  readonly instruments: { readonly option: string; readonly texts: readonly string[] | undefined }
  readonly timeframes: readonly string[] | undefined
  readonly start: string | undefined
  readonly end: string | undefined
}

/** Everything that is wrong with what was asked, by the options' own names, a line each; empty where nothing is. */
export function faultsOf({ instruments, timeframes, start, end }: Asked, nowSec: number): string[] {
  const { option, texts } = instruments
  const missing = [
    ...(texts ? [] : [option]),
    ...(timeframes ? [] : ['--timeframe']),
    ...(start === undefined ? ['--start'] : []),
  ]
  const needed = missing.length === 0 ? [] : [`needed and not given: ${missing.join(', ')}. See --help for examples.`]
  return [
    ...needed,
    ...(texts ?? []).flatMap((text) =>
      faultOf(
        option,
        () => parseInstrument(text),
        (said) => hinted(said, [text], nowSec),
      ),
    ),
    ...(timeframes ?? []).flatMap((text) => faultOf('--timeframe', () => parseTimeframe(text, 'STK'))),
    ...windowFaults(start, end),
  ]
}

/** What is wrong with a window, where its ends are given; a line each. */
export function windowFaults(start: string | undefined, end: string | undefined): string[] {
  const faults = [
    ...(start === undefined ? [] : faultOf('--start', () => parseInstant(start))),
    ...(end === undefined ? [] : faultOf('--end', () => parseInstant(end))),
  ]
  if (faults.length > 0 || start === undefined || end === undefined) return faults
  return faultOf('--start', () => window(parseInstant(start), parseInstant(end)))
}

function faultOf(option: string, read: () => unknown, say = (message: string) => message): string[] {
  try {
    read()
    return []
  } catch (error) {
    if (!(error instanceof TidegateError)) throw error
    return [`${option}: ${say(error.message)}`]
  }
}
