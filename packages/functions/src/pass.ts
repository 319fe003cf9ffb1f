import type { Ingest, Log } from '@tidegate/ingest'

/** What a schedule does each minute: starts what is due, sends round what was lost, tells webhooks. A part that fails is logged. */
export async function pass(ingest: Pick<Ingest, 'tick' | 'sweep' | 'tell'>, log: Log): Promise<void> {
  for (const part of ['tick', 'sweep', 'tell'] as const) {
    try {
      await ingest[part]()
    } catch (err) {
      log.error({ part, err }, 'a part of the schedule failed; the next minute tries again')
    }
  }
}
