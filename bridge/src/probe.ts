import type { Clock } from './clock.ts'

/** While servers are held for dead, they are tried this often: a request a minute is nothing to their limits. */
const AGAIN_MS = 60_000

/** What a probe found: the servers answered, said nothing, or nothing that tells whether they are there. */
export type Finding = 'answered' | 'silent' | 'unknown'

export interface Probe {
  /** The servers have answered somebody, or the connection is new. */
  heard(): void
  /** A request of somebody went unanswered. */
  missed(): void
  /** Whether requests to them are held for what a notice said: the notice that takes it back can get lost. */
  held(isHeld: boolean): void
  /** Gives up what is under way and waits for nothing: the connection is over. */
  stop(): void
}

export interface ProbeOptions {
  readonly clock: Clock
  /** So long nothing may come from the servers before they are tried; 0 never tries them. */
  readonly afterMs: number
  readonly ask: (signal: AbortSignal) => Promise<Finding>
  readonly onFinding: (finding: Finding) => void
}

/**
 * Finds servers that died without a notice, and those that came back without one: when requests go unanswered and nothing
 * has been heard for `afterMs`, or requests have been held that long, it asks them itself, and again every minute until
 * they answer.
 */
export function createProbe({ clock, afterMs, ask, onFinding }: ProbeOptions): Probe {
  let heardMs = clock.now()
  let isHeld = false
  let isSilent = false
  let running: AbortController | undefined
  let stopTimer: (() => void) | undefined

  function arm(ms: number): void {
    stopTimer ??= clock.after(ms, () => {
      stopTimer = undefined
      void run()
    })
  }

  function disarm(): void {
    stopTimer?.()
    stopTimer = undefined
  }

  async function run(): Promise<void> {
    if (running || afterMs === 0) return
    disarm()
    const abort = new AbortController()
    running = abort
    const finding = await ask(abort.signal)
    if (running !== abort) return
    running = undefined
    if (finding === 'answered') heardMs = clock.now()
    if (finding !== 'unknown') isSilent = finding === 'silent'
    onFinding(finding)
    if (isSilent || isHeld) arm(AGAIN_MS)
  }

  return {
    heard() {
      heardMs = clock.now()
      isSilent = false
      if (!isHeld) disarm()
    },
    missed() {
      if (clock.now() - heardMs >= afterMs) void run()
    },
    held(now) {
      if (now === isHeld) return
      isHeld = now
      // What a probe found is tried again sooner than that.
      if (isSilent) return
      if (isHeld && afterMs > 0) arm(afterMs)
      else disarm()
    },
    stop() {
      running?.abort()
      running = undefined
      isHeld = false
      isSilent = false
      disarm()
    },
  }
}
