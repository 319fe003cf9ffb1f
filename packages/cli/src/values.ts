import { parseInstant, TidegateError } from '@tidegate/core'
import { InvalidArgumentError } from 'commander'

/** Readers of option values. Each throws what commander reports as misuse, naming what was expected. */

export function list(text: string): string[] {
  const parts = text.split(',').map((part) => part.trim())
  if (parts.some((part) => part === '')) throw new InvalidArgumentError('Expected names separated by commas.')
  return parts
}

/** Reads a list of names that are all among the known ones. */
export function someOf(known: readonly string[]): (text: string) => string[] {
  return (text) => {
    const parts = list(text)
    const stranger = parts.find((part) => !known.includes(part))
    if (stranger !== undefined) throw new InvalidArgumentError(`"${stranger}" is none of ${known.join(', ')}.`)
    return parts
  }
}

/** The id or name of something that is there already. */
export function id(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('Expected an id or a name, and not nothing.')
  return text.trim()
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Expected a whole number.')
  return Number(text)
}

export function seconds(text: string): number {
  const count = wholeNumber(text)
  if (count < 1 || count > 3600) throw new InvalidArgumentError('Expected 1 to 3600 seconds.')
  return count
}

export function runCount(text: string): number {
  const count = wholeNumber(text)
  if (count < 1 || count > 200) throw new InvalidArgumentError('Expected a number from 1 to 200.')
  return count
}

export function portNumber(text: string): number {
  const port = wholeNumber(text)
  if (port > 65_535) throw new InvalidArgumentError('Expected a port from 0 to 65535.')
  return port
}

export function serverVersion(text: string): number {
  const version = wholeNumber(text)
  if (version < 163 || version > 200) throw new InvalidArgumentError('Expected a server version from 163 to 200.')
  return version
}

export function instant(text: string): string {
  return checked(text, parseInstant)
}

/** The text itself, which `read` takes. */
export function checked(text: string, read: (text: string) => unknown): string {
  try {
    read(text)
    return text
  } catch (error) {
    if (!(error instanceof TidegateError)) throw error
    throw new InvalidArgumentError(error.message)
  }
}

export interface Replay {
  readonly instrument: string
  readonly path: string
}

/** `ID=FILE`, where an id may hold an equals sign itself: `ESZ6=FUT.CME=bars.csv`. */
export function replays(text: string, before: readonly Replay[] = []): Replay[] {
  const [, instrument, path] = /^([^=]+=[A-Z]+\.[A-Z0-9/]+|[^=]+)=(.+)$/i.exec(text) ?? []
  if (!instrument || !path) throw new InvalidArgumentError('Expected ID=FILE such as GBP/USD.IDEALPRO=bid.csv.gz.')
  return [...before, { instrument, path }]
}
