import { MultiBar, type SingleBar } from 'cli-progress'
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

/** Shows how far each series has come, on a terminal as bars, elsewhere as a line now and then. */
export interface Progress {
  show(name: string, advance: Advance): void
  stop(): void
}

/** A line per series at most this often where there is no terminal: not silent, not a flood. */
const LINE_EVERY_MS = 5000
const NOTE_LENGTH = 60

export function createProgress({ terminal, err, now }: Pick<Context, 'terminal' | 'err' | 'now'>): Progress {
  return terminal ? barProgress(terminal) : lineProgress(err, now)
}

function barProgress(stream: NodeJS.WritableStream): Progress {
  const bars = new MultiBar({
    stream,
    format: '{name} [{bar}] {percentage}% · {value}/{total} chunks{bars}{note}',
    barsize: 24,
    fps: 8,
    hideCursor: true,
    gracefulExit: false,
    autopadding: true,
    emptyOnZero: false,
  })
  const shown = new Map<string, SingleBar>()
  return {
    show(name, { settled, total, bars: count, note }) {
      const payload = {
        name: name.padEnd(34),
        bars: barsText(count, ' · '),
        note: note ? ` · ${note.slice(0, NOTE_LENGTH)}` : '',
      }
      const bar = shown.get(name) ?? bars.create(total, settled, payload)
      shown.set(name, bar)
      bar.setTotal(total)
      bar.update(settled, payload)
    },
    stop: () => bars.stop(),
  }
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
