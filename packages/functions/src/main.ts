/** The functions as a process: settings from the environment, logs to standard output, ended by SIGTERM or SIGINT. */
import { openDatabase } from '@tidegate/db'
import { pino } from 'pino'
import { openRelays } from './bridges.ts'
import { describeError } from './describe.ts'
import { createNodeFunctions } from './node.ts'
import { withSecretFiles } from './secrets.ts'
import { readSettings } from './settings.ts'

const log = pino({ serializers: { err: describeError } })
try {
  const settings = readSettings(withSecretFiles(process.env))
  const onEnd = (err: Error) => {
    log.fatal({ err }, 'the embedded database has ended')
    process.exit(1)
  }
  const database = await openDatabase({ url: settings.databaseUrl, session: true, onEnd })
  await database.migrate()
  const { bridges } = settings
  const relay = openRelays(bridges, Date.now)
  const functions = await createNodeFunctions({ ...settings, database, relay, logins: bridges.length, log })
  functions.startSchedule()
  log.info({ url: functions.url }, 'the functions listen')
  let closing = false
  const stop = async (signal: string) => {
    // Whoever asks twice does not want to wait.
    if (closing) process.exit(1)
    closing = true
    log.info({ signal }, 'finishing what is under way')
    await functions.close()
    await database.close()
    process.exit(0)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
} catch (error) {
  // It is for whoever has just started it, and names several faults, each on a line.
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exit(1)
}
