import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { SLOW_MS, tidegate } from './command.ts'

vi.setConfig({ testTimeout: SLOW_MS, hookTimeout: SLOW_MS })

test('migrate says what it did, and then that there is nothing to do', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-migrate-'))
  try {
    const first = await tidegate(folder, ['migrate'])
    expect(first.out).toMatch(/\.tidegate\/db is up to date: \d+ migrations? applied/)
    expect(first.status).toBe(0)
    const again = await tidegate(folder, ['migrate'])
    expect(again.out).toMatch(/was up to date: \d+ migrations? in all/)
    expect((await tidegate(folder, ['series'])).out).toBe('Nothing is stored yet.\n')

    const status = await tidegate(folder, ['status'], { env: { IBKR_PORT: '1' } })
    expect(status.out).toMatch(/database +│ answers/)
    expect(status.out).toMatch(/bridge +│ Nobody answers at 127\.0\.0\.1:1/)
    expect(status.status).toBe(1)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test.each([
  ['nonsense', /DATABASE_URL/],
  ['postgres://user:hidden@127.0.0.1:1/none', /127\.0\.0\.1:1\/none.*(ECONNREFUSED|failed)/],
])('a database that is none or does not answer is named, its password is not: %s', async (url, message) => {
  const { status, err } = await tidegate(tmpdir(), ['migrate'], { env: { DATABASE_URL: url } })
  expect(err).toMatch(message)
  expect(err).not.toContain('hidden')
  expect(status).toBe(1)
})
