import type { EmbeddedDatabase, Scope } from '@tidegate/db'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { freshPglite } from '../../../test/support/pglite.ts'
import { wipe } from '../../../test/support/wipe.ts'
import type { ErrorAnswer, KeysAnswer, NewKeyAnswer } from '../src/index.ts'
import { type Access, ROUTES, SCOPES } from '../src/scopes.ts'
import { type Door, KEY, openDoor } from './door.ts'

const NOW = Date.UTC(2026, 3, 8, 18) / 1000

let database: EmbeddedDatabase
let door: Door
beforeAll(async () => {
  database = await freshPglite()
})
afterAll(() => database?.close())
beforeEach(async () => {
  await wipe(database)
  door = openDoor(database, NOW)
})

/** Every route that the interface has, as `METHOD path`. */
function routes(): string[] {
  const found = door.app.routes.filter(({ method }) => method !== 'ALL').map(({ method, path }) => `${method} ${path}`)
  return [...new Set(found)]
}

/** Calls a route with a body that it refuses: whoever gets as far as being told so was let in. */
function knock(route: string, key: string) {
  const [method = '', path = ''] = route.split(' ')
  const body = method === 'GET' || method === 'DELETE' ? undefined : '[]'
  return door.call(method, path.replaceAll(/:\w+/g, 'x'), { body, key })
}

describe('who may do what', () => {
  it('is said of every route', () => {
    expect(routes().filter((route) => !(route in ROUTES))).toEqual([])
    expect(routes().length).toBeGreaterThan(15)
  })

  it.each(SCOPES)('a key with the scope %s opens the routes that want it, and no other', async (scope) => {
    const { key } = await door.keyFor(scope)
    for (const route of routes()) {
      const wanted: Access | undefined = ROUTES[route]
      if (wanted === 'nothing' || wanted === 'signature') continue
      const { status, body } = await knock(route, key)
      if (wanted === scope)
        expect([route, status]).not.toEqual([route, expect.toSatisfy((s) => s === 401 || s === 403)])
      else {
        expect([route, status]).toEqual([route, 403])
        expect(body.error).toEqual({
          kind: 'forbidden',
          message: `${route} needs a key with the scope "${wanted}"; this key has ${scope}.`,
        })
      }
    }
  })

  it('without a key nothing opens but what checks a signature, and /health', async () => {
    for (const route of routes()) {
      for (const key of ['', 'x'.repeat(40), `tg_${'0'.repeat(12)}_${'x'.repeat(43)}`]) {
        expect([route, (await knock(route, key)).status]).toEqual([route, route === 'GET /health' ? 200 : 401])
      }
    }
  })

  it('TIDEGATE_KEY opens everything', async () => {
    for (const route of routes().filter((one) => ROUTES[one] !== 'signature')) {
      expect([401, 403]).not.toContain((await knock(route, KEY)).status)
    }
  })

  it('HEAD wants what GET wants', async () => {
    const { key } = await door.keyFor('run')
    const answer = await door.app.request('/v1/series', { method: 'HEAD', headers: { authorization: `Bearer ${key}` } })
    expect(answer.status).toBe(403)
  })
})

describe('keys', () => {
  it('are shown once, and are no more than their hash to the database', async () => {
    const { status, body } = await door.call<NewKeyAnswer>('POST', '/v1/keys', {
      body: { name: 'grafana', scopes: ['run', 'read', 'run'] },
    })
    expect(status).toBe(201)
    expect(body).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{12}$/),
      key: expect.stringMatching(/^tg_[0-9a-f]{12}_[\w-]{43}$/),
      name: 'grafana',
      scopes: ['read', 'run'],
      createdAt: '2026-04-08T18:00:00Z',
      revokedAt: null,
    })
    const { key, ...listed } = body
    expect(key).toContain(body.id)
    expect((await door.call<KeysAnswer>('GET', '/v1/keys')).body).toEqual({ keys: [listed] })
    const stored = JSON.stringify(await database.rows(sql`select * from api_keys`))
    expect(stored).not.toContain(key.slice(-43))
    expect((await door.keyFor('read')).key).not.toBe(key)
  })

  it('open what they may, until they are revoked', async () => {
    const { id, key } = await door.keyFor('read')
    const asks = async (given: string) => (await door.call('GET', '/v1/series', { key: given })).status
    expect(await asks(key)).toBe(200)
    expect(await asks(`${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}`)).toBe(401)
    expect(await asks(key.slice(0, -1))).toBe(401)
    expect((await door.call('DELETE', `/v1/keys/${id}`)).body).toEqual({ revoked: id })
    expect(await asks(key)).toBe(401)
    expect((await door.call<KeysAnswer>('GET', '/v1/keys')).body.keys[0]?.revokedAt).toBe('2026-04-08T18:00:00Z')
    expect((await door.call('DELETE', `/v1/keys/${id}`)).status).toBe(200)
    expect((await door.call('DELETE', `/v1/keys/${'0'.repeat(12)}`)).status).toBe(404)
    expect((await door.call('DELETE', '/v1/keys/nonsense')).status).toBe(404)
  })

  it.each([
    [{ scopes: ['read'] }, /name: expected a name/],
    [{ name: 'a\u0000b', scopes: ['read'] }, /name: expected a name/],
    [{ name: 'x', scopes: [] }, /scopes: expected some of read, run, admin/],
    [{ name: 'x', scopes: ['write'] }, /expected some of read, run, admin/],
    [{ name: 'x', scopes: ['read'], key: 'mine' }, /key: there is no such field/],
  ])('%j is refused', async (body, message) => {
    const answer = await door.call<ErrorAnswer>('POST', '/v1/keys', { body })
    expect(answer.status).toBe(400)
    expect(answer.body.error.message).toMatch(message)
  })

  it('an admin may make keys for others, and a reader none', async () => {
    const { key } = await door.keyFor('admin')
    const body = { name: 'x', scopes: ['read'] satisfies Scope[] }
    expect((await door.call('POST', '/v1/keys', { body, key })).status).toBe(201)
    const reader = await door.keyFor('read', 'run')
    expect((await door.call('POST', '/v1/keys', { body, key: reader.key })).status).toBe(403)
  })
})
