import { tmpdir } from 'node:os'
import { expect, test, vi } from 'vitest'
import { createFolders, SLOW_MS, tidegate } from './command.ts'

vi.setConfig({ testTimeout: SLOW_MS, hookTimeout: SLOW_MS })

// That it says what it did where there was nothing is seen where the folders are made.
test('migrate says where there is nothing to do; nothing is stored by it', async () => {
  const folders = await createFolders()
  const folder = await folders.next()
  try {
    const again = await tidegate(folder, ['migrate'])
    expect(again.out).toMatch(/\.tidegate\/db was up to date: \d+ migrations? in all/)
    expect((await tidegate(folder, ['series'])).out).toBe('Nothing is stored yet.\n')

    const status = await tidegate(folder, ['status'], { env: { IBKR_PORT: '1' } })
    expect(status.out).toMatch(/database +│ answers/)
    expect(status.out).toMatch(/bridge +│ Nobody answers at 127\.0\.0\.1:1/)
    expect(status.status).toBe(1)
  } finally {
    await folders.remove()
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
