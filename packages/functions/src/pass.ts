import type { Ingest, Log } from '@tidegate/ingest'

const PARTS = ['tick', 'sweep', 'tell'] as const
/** Several times what a part may need: one that takes longer hangs on something, and the others must not. */
const PART_MS = 180_000

type Timeout = (ms: number) => AbortSignal

/**
 * What a schedule does each minute: starts what is due, sends round what was lost, tells webhooks. A part that fails, or has not
 * ended after three minutes, is logged, and the next has its turn.
 */
export async function pass(
  ingest: Pick<Ingest, (typeof PARTS)[number]>,
  log: Log,
  timeout: Timeout = (ms) => AbortSignal.timeout(ms),
): Promise<void> {
  for (const part of PARTS) {
    try {
      await within(ingest[part](), timeout(PART_MS))
    } catch (err) {
      log.error({ part, err }, 'a part of the schedule failed; the next minute tries again')
    }
  }
}

/** Waits until the signal aborts, and no longer. */
async function within(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  const late = Promise.withResolvers<never>()
  const giveUp = () => late.reject(new Error(`It has not ended after ${PART_MS / 1000} s.`))
  signal.addEventListener('abort', giveUp, { once: true })
  try {
    await Promise.race([work, late.promise])
  } finally {
    signal.removeEventListener('abort', giveUp)
  }
}
