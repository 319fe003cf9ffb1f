import { bridge } from './bridge.ts'
import { database } from './database.ts'
import { linkSecret } from './link.ts'
import { chunks, failed } from './queue.ts'
import { secrets } from './secrets.ts'
import { settingsIn } from './settings.ts'

/** The one program behind every Worker: it exports `fetch`, `scheduled` and `queue`, and each trigger calls its own. */
export const worker: sst.cloudflare.WorkerArgs = {
  handler: 'packages/functions/src/worker.ts',
  link: [chunks, database, ...bridge, linkSecret('TIDEGATE_KEY', secrets.tidegateKey)],
  // How the code tells a dead letter from a message: by the queue that it comes from.
  environment: { DEAD_LETTERS: failed.nodes.queue.queueName, ...settingsIn(process.env) },
  compatibility: { date: '2026-07-01', flags: ['nodejs_compat'] },
}
