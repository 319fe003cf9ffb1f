const DAY_SEC = 86_400

/**
 * Where the simulator's clock starts when it replays files: 00:00 UTC two days after the newest row, so that every bar
 * is final and no replayed future has left IBKR's two years past expiry. Epoch milliseconds; undefined without a file.
 * `toSec` is the exclusive end of a file's last bar, epoch seconds.
 */
export function replayStartMs(files: readonly { readonly toSec: number }[]): number | undefined {
  if (files.length === 0) return undefined
  const lastSec = Math.max(...files.map(({ toSec }) => toSec)) - 1
  return (Math.floor(lastSec / DAY_SEC) + 2) * DAY_SEC * 1000
}
