import { type GenericFormatter, MultiBar, type SingleBar } from 'cli-progress'
import type { Context } from './context.ts'

/** How far one series has come. */
export interface Advance {
  readonly settled: number
  readonly total: number
  /** Bars written so far, where that is known. */
  readonly bars?: number
  /** What holds it up, in a few words. */
  readonly note?: string
}

/** What a bar is drawn of, beside its value and total. */
type Shown = Pick<Advance, 'bars' | 'note'> & { readonly name: string }

/** Shows how far each series has come, on a terminal as bars, elsewhere as a line now and then. */
export interface Progress {
  show(name: string, advance: Advance): void
  stop(): void
}

/** A line per series at most this often where there is no terminal: not silent, not a flood. */
const LINE_EVERY_MS = 5000
const NAME = { least: 30, most: 34 }
const BAR = { least: 6, most: 24 }
/** The percentage, the chunks and the bars beside name and bar: ` [] 100% · 100/100 chunks · 1,000,000 bars`. */
const FIGURES_LENGTH = 42
const LEAST_NOTE_LENGTH = 12
const DEFAULT_COLUMNS = 80

export function createProgress({ terminal, err, now }: Pick<Context, 'terminal' | 'err' | 'now'>): Progress {
  return terminal ? barProgress(terminal) : lineProgress(err, now)
}

function barProgress(stream: NodeJS.WritableStream & { readonly columns?: number }): Progress {
  const format: GenericFormatter = (_, { value, total }, { name, bars, note }: Shown) =>
    progressLine(name, { settled: value, total, bars, note }, stream.columns ?? DEFAULT_COLUMNS)
  const bars = new MultiBar({ stream, format, fps: 8, hideCursor: true, gracefulExit: false, emptyOnZero: false })
  const shown = new Map<string, SingleBar>()
  return {
    show(name, { settled, total, bars: count, note }) {
      const payload = { name, bars: count, note }
      const bar = shown.get(name) ?? bars.create(total, settled, payload)
      shown.set(name, bar)
      bar.setTotal(total)
      bar.update(settled, payload)
    },
    stop: () => bars.stop(),
  }
}

/** One series' line on a terminal of `columns`: the bar gives way first, the note gets what is left over. */
export function progressLine(name: string, { settled, total, bars, note }: Advance, columns: number): string {
  const nameLength = Math.max(name.length, columns < 100 ? NAME.least : NAME.most)
  const barLength = Math.min(BAR.most, Math.max(BAR.least, columns - 1 - nameLength - FIGURES_LENGTH))
  const share = total === 0 ? 1 : settled / total
  const done = Math.round(share * barLength)
  const line =
    `${name.padEnd(nameLength)} [${'='.repeat(done)}${'-'.repeat(barLength - done)}] ` +
    `${String(Math.floor(share * 100)).padStart(3)}% · ${settled}/${total} chunks${barsText(bars, ' · ')}`
  const room = columns - 1 - line.length - ' · '.length
  return note && room >= LEAST_NOTE_LENGTH ? `${line} · ${note.slice(0, room)}` : line.slice(0, columns - 1)
}

function lineProgress(err: Context['err'], now: Context['now']): Progress {
  const shown = new Map<string, { readonly atMs: number; readonly text: string }>()
  return {
    show(name, { settled, total, bars, note }) {
      const text = `${name}: ${settled}/${total} chunks${barsText(bars, ', ')}${note ? ` (${note})` : ''}`
      const before = shown.get(name)
      if (before?.text === text) return
      if (before && settled < total && now() - before.atMs < LINE_EVERY_MS) return
      shown.set(name, { atMs: now(), text })
      err(`${text}\n`)
    },
    stop() {},
  }
}

function barsText(bars: number | undefined, separator: string): string {
  return bars === undefined ? '' : `${separator}${bars.toLocaleString('en-US')} bars`
}
