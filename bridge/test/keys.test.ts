import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { assertScope, createKeyring, requireScope } from '../src/keys.ts'

const FULL = ['f'.repeat(32), 'g'.repeat(40)]
const READ = ['r'.repeat(32), 's'.repeat(40)]
const keyring = createKeyring(FULL, READ)
const bearer = (key: string) => `Bearer ${key}`

describe('a key', () => {
  it('may read and subscribe, or read alone', () => {
    for (const key of FULL) expect([...keyring.scopesOf(bearer(key))]).toEqual(['read', 'live'])
    for (const key of READ) expect([...keyring.scopesOf(bearer(key))]).toEqual(['read'])
  })

  it('that stands in both lists has the scopes of the first', () => {
    const both = createKeyring(FULL, FULL)
    expect([...both.scopesOf(bearer(FULL[0] ?? ''))]).toEqual(['read', 'live'])
  })

  it('that is not there may do nothing, nor may a header of another form', () => {
    const [key = ''] = FULL
    for (const header of [undefined, '', key, `Basic ${key}`, bearer(''), bearer(`${key} `), bearer(key.slice(1))]) {
      expect(keyring.scopesOf(header).size).toBe(0)
      expect(() => assertScope(keyring, header, 'read')).toThrow('A key is needed')
    }
    expect(createKeyring([]).scopesOf(bearer('')).size).toBe(0)
  })

  it('without the scope is told which one it lacks, and never shown', () => {
    const [key = ''] = READ
    expect(() => assertScope(keyring, bearer(key), 'read')).not.toThrow()
    expect(() => assertScope(keyring, bearer(key), 'live')).toThrow(
      expect.objectContaining({
        kind: 'forbidden',
        message: 'This key may read and this needs "live": send the bridge’s BRIDGE_KEY.',
      }),
    )
  })

  it('is asked for by a route', async () => {
    const app = new Hono()
    app.onError((error, c) => c.text((error as { kind?: string }).kind ?? '', 400))
    app.use('/live', requireScope(keyring, 'live'))
    app.get('/live', (c) => c.text('live'))
    const ask = async (key: string) =>
      (await app.request('/live', { headers: key ? { authorization: bearer(key) } : {} })).text()
    expect(await ask(FULL[1] ?? '')).toBe('live')
    expect(await ask(READ[1] ?? '')).toBe('forbidden')
    expect(await ask('')).toBe('unauthorized')
  })
})
