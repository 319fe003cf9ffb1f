import { TidegateError } from '@tidegate/core'
import { describe, expect, it } from 'vitest'
import { createConsoleLog } from '../src/console.ts'

function written(write: (log: ReturnType<typeof createConsoleLog>) => void) {
  const lines: [string, string][] = []
  const to = (name: string) => (line: string) => lines.push([name, line])
  write(createConsoleLog(() => 1_700_000_000_123, { info: to('info'), warn: to('warn'), error: to('error') }))
  return lines.map(([name, line]) => [name, JSON.parse(line)])
}

describe('the log of a Worker', () => {
  it('is a line of JSON an entry, with the fields that pino has', () => {
    const lines = written((log) => {
      log.info({ chunk: '7', bars: 390 }, 'chunk committed')
      log.warn({}, 'careful')
      log.error({ level: 1, msg: 'not mine' }, 'it failed')
    })
    expect(lines).toEqual([
      ['info', { level: 30, time: 1_700_000_000_123, chunk: '7', bars: 390, msg: 'chunk committed' }],
      ['warn', { level: 40, time: 1_700_000_000_123, msg: 'careful' }],
      ['error', { level: 50, time: 1_700_000_000_123, msg: 'it failed' }],
    ])
  })

  it('tells an error with what caused it, and of a statement of megabytes the beginning alone', () => {
    const statement = new Error(`Failed query: ${'1,'.repeat(1_000_000)}`)
    const err = new TidegateError('database', 'The database at host/name failed.', { cause: statement })
    const [[, entry] = []] = written((log) => log.error({ err }, 'a request failed'))
    expect(entry.err).toMatchObject({
      type: 'TidegateError',
      kind: 'database',
      message: 'The database at host/name failed.',
      stack: expect.stringContaining('console.test.ts'),
      cause: { type: 'Error', message: expect.stringMatching(/^Failed query: 1,.*… \(2000014 characters\)$/) },
    })
    expect(JSON.stringify(entry).length).toBeLessThan(20_000)
  })

  it('ends at an error that is its own cause', () => {
    const err: Error & { cause?: unknown } = new Error('round and round')
    err.cause = err
    expect(written((log) => log.error({ err }, 'a request failed'))).toHaveLength(1)
  })
})
