/** Beats once in every second of the market's clock: what drives live data. */
export interface Pulse {
  /** Calls `beat` at every second from now on, until the returned function is called. */
  onBeat(beat: () => void): () => void
}

/** A pulse of real timers, at the whole seconds of `now` (epoch milliseconds); without listeners it has none. */
export function createPulse(now: () => number): Pulse {
  const beats = new Set<() => void>()
  let timer: NodeJS.Timeout | undefined

  function wait(): void {
    const restMs = 1000 - (((now() % 1000) + 1000) % 1000)
    timer = setTimeout(() => {
      timer = undefined
      for (const beat of [...beats]) beat()
      if (beats.size > 0) wait()
    }, restMs)
  }

  return {
    onBeat(beat) {
      // The same function may be wanted twice.
      const own = () => beat()
      beats.add(own)
      if (timer === undefined) wait()
      return () => {
        beats.delete(own)
        if (beats.size > 0) return
        clearTimeout(timer)
        timer = undefined
      }
    },
  }
}
