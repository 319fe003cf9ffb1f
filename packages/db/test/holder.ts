import { lockFolder } from '../src/lock.ts'

/** Takes the lock of a folder, says what came of it, and lives until its input ends. */
const [dir = ''] = process.argv.slice(2)
try {
  await lockFolder(dir)
  process.stdout.write('held\n')
} catch (error) {
  process.stdout.write(`${error instanceof Error ? error.message : error}\n`)
}
process.stdin.resume().on('end', () => process.exit())
