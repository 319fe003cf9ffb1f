/** The chunks that this process works on, so that what a cancelled run has asked for is hung up. */
export interface Underway {
  /** Notes a chunk of this run; its signal aborts when the run is stopped. `end` has to be called once it is over. */
  begin(runId: string): { readonly signal: AbortSignal; end(): void }
  /** Hangs up whatever of the run is under way here; what other processes have in hand comes too late to be stored. */
  stop(runId: string): void
}

/** `mayCross` is false where one call may not end what another one has begun: then everything comes too late to be stored. */
export function createUnderway(mayCross = true): Underway {
  const open = new Map<string, Set<AbortController>>()
  return {
    begin(runId) {
      const controller = new AbortController()
      const own = open.get(runId) ?? new Set()
      open.set(runId, own.add(controller))
      return {
        signal: controller.signal,
        end() {
          own.delete(controller)
          if (own.size === 0) open.delete(runId)
        },
      }
    },
    stop(runId) {
      if (!mayCross) return
      for (const controller of open.get(runId) ?? []) controller.abort()
    },
  }
}
