/** The bridge as a process: settings from the environment, logs to standard output, ended by SIGTERM or SIGINT. */
import { pino } from 'pino'
import { createBridge } from './bridge.ts'
import { readSettings, stateFileIn } from './settings.ts'

// The bridge describes its errors itself, accounts masked: pino would describe the descriptions.
const log = pino({ serializers: { err: (described: unknown) => described } })
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
  // It is for whoever has just started it, and names several faults, each on a line.
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exit(1)
}
