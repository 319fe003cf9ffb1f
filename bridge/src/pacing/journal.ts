import { appendFileSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { toTidegateError } from '@tidegate/core'
import { z } from 'zod'
import type { Clock } from '../clock.ts'
import type { Log } from '../log.ts'
import { makeFolder } from './folder.ts'
import type { Sent } from './ledger.ts'
import { lengthMs, type Rules } from './rules.ts'
import type { Journal } from './windows.ts'

/** Lines after which what is past is dropped from the file: some 300 kB. */
const COMPACT_LINES = 4096
/** The most that one request weighs, which is what a line that can't be read is taken for. */
const WORST_WEIGHT = 2

/** Of our own lines, no text is longer. */
const MOST_TEXT = 1000

const sentSchema = z.object({
  atMs: z.number().nonnegative(),
  small: z.int().min(0).max(WORST_WEIGHT),
  contract: z.string().max(MOST_TEXT).optional(),
  identity: z.string().max(MOST_TEXT).optional(),
})

/**
 * What was sent in the last ten minutes, in a file: a line of JSON a request, written before the request goes, so that
 * a process killed at any instant has sent nothing that is not there. It is not flushed to the disk: that would only
 * matter where the machine itself loses its power.
 *
 * A line that can't be read (torn off, or no line of ours) is warned of and taken for the worst that one request can
 * be, a small one of weight 2, sent when the file was last written. Where the file can't be read or written at all,
 * that is warned of and the bridge goes on without it: it then may break the ten-minute rule after a restart.
 */
export function openJournal(parts: { file: string; clock: Clock; rules: Rules; log: Log }): Journal {
  const { file, clock, rules, log } = parts
  const keptMs = ({ small }: Sent) => lengthMs(small > 0 ? rules.small : rules.identical)
  let lines = 0
  /** What can not be done, and was warned of: it would be again with every request. */
  const failing = new Set<string>()
  const recent = compact()

  function recall(): { sent: Sent[]; broken: number } {
    const text = attempt('read', () => readFileSync(file, 'utf8')) ?? ''
    const torn = { atMs: Math.min(writtenMs(), clock.now()), small: WORST_WEIGHT }
    let broken = 0
    const sent = text
      .split('\n')
      .filter(Boolean)
      .map((line): Sent => {
        const parsed = sentOf(line)
        if (!parsed) broken++
        return parsed ?? torn
      })
    if (broken > 0) log.warn({ file, lines: broken }, 'the record of what was sent has lines that can not be read')
    return { sent: sent.sort((a, b) => a.atMs - b.atMs), broken }
  }

  function writtenMs(): number {
    return attempt('read', () => statSync(file).mtimeMs) ?? 0
  }

  /** Drops from the file what no rule looks at any more; what is left. */
  function compact(): Sent[] {
    const { sent, broken } = recall()
    const left = sent.filter((one) => one.atMs > clock.now() - keptMs(one))
    lines = 0
    // Whoever sends nothing leaves nothing behind. A line that was torn off is mended: the next would be part of it.
    if (left.length === sent.length && broken === 0) return left
    attempt('write', () => {
      const whole = `${file}.${process.pid}`
      writeFileSync(whole, left.map((one) => `${JSON.stringify(one)}\n`).join(''), { mode: 0o600 })
      // Whoever is killed here leaves the old file or the new one, and never half of one.
      renameSync(whole, file)
    })
    return left
  }

  function attempt<T>(what: 'read' | 'write', act: () => T): T | undefined {
    try {
      const done = act()
      failing.delete(what)
      return done
    } catch (cause) {
      if (what === 'read' && cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
      if (failing.has(what)) return undefined
      failing.add(what)
      const advice =
        'a restart may break IBKR’s ten-minute rule; set BRIDGE_STATE to a file that can be read and written'
      log.warn({ file, err: toTidegateError(cause) }, `can not ${what} the record of what was sent: ${advice}`)
      return undefined
    }
  }

  return {
    read: () => recent,
    write(charge) {
      // By its name each time: a bridge that shares Redis with this one may have put a shorter file in its place.
      attempt('write', () => {
        makeFolder(path.dirname(file))
        appendFileSync(file, `${JSON.stringify({ ...charge, atMs: clock.now() })}\n`, { mode: 0o600 })
      })
      if (++lines >= COMPACT_LINES) compact()
    },
  }
}

function sentOf(line: string): Sent | undefined {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    // Torn off: what it is taken for is told where all lines are read.
    return undefined
  }
  return sentSchema.safeParse(value).data
}
