import type { Clock } from '../clock.ts'
import { createLedger, type Held, type Ledger, type Refusal, type Sent, type Usage } from './ledger.ts'
import type { Charge, Rules } from './rules.ts'

/** What must be there at once or may take a while: windows in this process answer in the same turn. */
export type Soon<T> = T | Promise<T>

/** The sliding windows of one login, wherever they are kept. */
export interface Windows {
  /**
   * Takes what the charge needs of every budget, all or nothing: undefined, and it counts from this instant.
   * `place` names the open request, where it is one.
   */
  take(charge: Charge, place?: string): Soon<Refusal | undefined>
  /** The open request of that name has ended. What it took of the windows stays taken. */
  release(place: string): void
  /** Nothing of that kind goes for so many milliseconds. */
  hold(what: Held, ms: number): void
  heldMs(what: Held): number
  /** The windows as they are now, to reckon with. */
  look(): Soon<Ledger>
  /** Messages and small weight in their windows, as far as this process knows. */
  usage(): Usage
  /** Why nothing goes, whatever the rules say, where that is so: in words for people. */
  trouble?(): string | undefined
  close(): Promise<void>
}

/** Where what was sent outlives the process. */
export interface Journal {
  /** What was sent before, the oldest first. */
  read(): readonly Sent[]
  /** Called before the request goes, which is now: what was not written has not gone. */
  write(charge: Charge): void
}

/** Windows in this process, which begin with what the journal remembers. */
export function createWindows({ clock, rules, journal }: { clock: Clock; rules: Rules; journal?: Journal }): Windows {
  const ledger = createLedger(rules)
  for (const { atMs, ...charge } of journal?.read() ?? []) ledger.record(charge, atMs)
  return {
    take(charge) {
      const nowMs = clock.now()
      const refusal = ledger.refusal(charge, nowMs)
      if (refusal) return refusal
      if (charge.small > 0 || charge.identity !== undefined) journal?.write(charge)
      ledger.record(charge, nowMs)
      return undefined
    },
    release() {},
    hold: (what, ms) => ledger.hold(what, ms, clock.now()),
    heldMs: (what) => ledger.heldMs(what, clock.now()),
    look: () => ledger,
    usage: () => ledger.usage(clock.now()),
    async close() {},
  }
}
