/** The bridge as a process: settings from the environment, logs to standard output, ended by SIGTERM or SIGINT. */
import { pino } from 'pino'
import { createBridge } from './bridge.ts'
import { readSettings, stateFileIn } from './settings.ts'

const log = pino()
try {
  const settings = readSettings(process.env)
  const stateFile = settings.stateFile ?? stateFileIn('.tidegate', settings.gateway)
  const bridge = await createBridge({ settings: { ...settings, stateFile }, log })
  log.info({ url: bridge.url }, 'the bridge listens')
  let closing = false
  const stop = async (signal: string) => {
    // Whoever asks twice does not want to wait.
    if (closing) process.exit(1)
    closing = true
    log.info({ signal }, 'finishing what is open')
    await bridge.close()
    process.exit(0)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
} catch (error) {
  log.fatal(error instanceof Error ? error.message : String(error))
  process.exit(1)
}
