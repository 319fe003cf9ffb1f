import type { Ingest, Log } from '@tidegate/ingest'

/** What a schedule does each minute: starts what is due, then sends round what was lost. A part that fails is logged. */
export async function pass(ingest: Pick<Ingest, 'tick' | 'sweep'>, log: Log): Promise<void> {
  for (const part of ['tick', 'sweep'] as const) {
    try {
      await ingest[part]()
    } catch (err) {
      log.error({ part, err }, 'a part of the schedule failed; the next minute tries again')
    }
  }
}
