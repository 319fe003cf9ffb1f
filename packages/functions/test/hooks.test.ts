import { TidegateError } from '@tidegate/core'
import type { EmbeddedDatabase } from '@tidegate/db'
import { is, StringChunk } from 'drizzle-orm'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { freshPglite } from '../../../test/support/pglite.ts'
import { wipe } from '../../../test/support/wipe.ts'
import type { ErrorAnswer, HooksAnswer, NewHookAnswer, ProgressAnswer } from '../src/index.ts'
import { type Door, openDoor } from './door.ts'

/** Far from the machine's clock: it is not the one that counts. */
const NOW = Date.UTC(2026, 3, 8, 18) / 1000
const OTHER = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'

let database: EmbeddedDatabase
let door: Door
let secret: string
beforeAll(async () => {
  database = await freshPglite()
})
afterAll(() => database?.close())
beforeEach(async () => {
  await wipe(database)
  door = openDoor(database, NOW)
  await door.world.ingest.declare({
    name: 'stocks',
    instruments: ['AAPL'],
    specs: ['1HOUR'],
    since: '2026-04-06',
    hours: 'regular',
    schedule: { every: '1h' },
  })
  const put = await door.call<NewHookAnswer>('PUT', '/v1/hooks/nightly', { body: { dataset: 'stocks' } })
  expect(put.status).toBe(201)
  secret = put.body.secret
})

interface Call {
  readonly name?: string
  readonly id?: string
  readonly atSec?: number
  readonly body?: string
  readonly secret?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Calls a hook as whoever has its secret, or as the changes say. */
function call<T = { readonly id: string } & ErrorAnswer>(
  { name = 'nightly', id = 'msg_1', atSec = NOW, body = '{}', secret: signedWith = secret, headers = {} }: Call = {},
  through = door,
) {
  const signature = new Webhook(signedWith).sign(id, new Date(atSec * 1000), body)
  const signed = { 'webhook-id': id, 'webhook-timestamp': String(atSec), 'webhook-signature': signature }
  return through.call<T>('POST', `/v1/hooks/${name}`, { body, key: '', headers: { ...signed, ...headers } })
}

const nowSec = () => door.world.clock.nowMs / 1000

async function hookRuns() {
  return (await door.world.store.runs({ limit: 100 })).filter(({ source }) => source === 'hook')
}

/** A door of a process that dies at its n-th statement: nothing that it does after that reaches the database. */
function dyingAt(nth: number, after: boolean) {
  let seen = 0
  const rows: EmbeddedDatabase['rows'] = async (statement) => {
    seen++
    const found = seen < nth || (seen === nth && after) ? await database.rows<never>(statement) : []
    if (seen >= nth) throw new TidegateError('database', 'this process has been killed')
    return found
  }
  return { door: openDoor({ ...database, rows }, nowSec()), isDead: () => seen >= nth }
}

/** The database, where statements with this text fail. */
function failing(text: string): EmbeddedDatabase {
  const rows: EmbeddedDatabase['rows'] = async (statement) => {
    const isIt = statement.queryChunks.some((chunk) => is(chunk, StringChunk) && chunk.value.join('').includes(text))
    if (isIt) throw new TidegateError('database', 'the database is gone')
    return database.rows<never>(statement)
  }
  return { ...database, rows }
}

describe('a hook', () => {
  it('starts a run of its dataset for whoever signs with its secret, without a key', async () => {
    const called = await call()
    expect(called.status).toBe(202)
    expect(called.headers.get('location')).toBe(`/v1/runs/${called.body.id}`)
    const run = await door.call<ProgressAnswer>('GET', `/v1/runs/${called.body.id}`)
    expect(run.body).toMatchObject({ state: 'open', series: [{ instrumentId: 'AAPL.NASDAQ', spec: '1-HOUR-LAST' }] })
  })

  it('answers a call that comes again with the run that it started', async () => {
    const first = await call()
    expect(first.status).toBe(202)
    for (const atSec of [NOW, NOW + 1]) {
      const again = await call({ atSec })
      expect([again.status, again.body]).toEqual([200, first.body])
      expect(again.headers.get('location')).toBe(first.headers.get('location'))
    }
    expect((await call({ id: 'msg_2' })).body.id).not.toBe(first.body.id)
    await door.world.store.pruneCalls(NOW + 86_400)
    door.world.clock.nowMs += 86_400_000
    expect(await call({ atSec: NOW + 86_400 })).toMatchObject({ status: 200, body: first.body })
    expect(await hookRuns()).toHaveLength(2)
  })

  it('tells a call that comes twice at once to wait for the other', async () => {
    const both = await Promise.all([call(), call()])
    expect(both.map(({ status }) => status).sort()).toEqual([202, 429])
    const late = both.find(({ status }) => status === 429)
    expect(late?.body).toMatchObject({ error: { kind: 'busy', message: expect.stringContaining('being started') } })
    expect(late?.headers.get('retry-after')).toBe('10')
    expect((await call()).status).toBe(200)
    expect(await hookRuns()).toHaveLength(1)
  })

  it.each([false, true])('starts one run of a call, whichever statement it dies at (after it: %s)', async (after) => {
    let calls = 0
    for (let died = true; died; ) {
      const id = `msg_${++calls}`
      const dying = dyingAt(calls, after)
      const first = await call({ id, atSec: nowSec() }, dying.door)
      died = dying.isDead()
      expect(first.status).toBe(died ? 500 : 202)
      let again = await call({ id, atSec: nowSec() })
      if (again.status === 429) {
        door.world.clock.nowMs += 120_000
        again = await call({ id, atSec: nowSec() })
      }
      expect([200, 202]).toContain(again.status)
      expect((await hookRuns()).map((run) => run.id)).toContain(again.body.id)
      expect(await hookRuns()).toHaveLength(calls)
    }
    // The hook, the call, the dataset twice, the run and its outbox at the least.
    expect(calls).toBeGreaterThan(6)
  })

  it('lets a call come again that could not be given back, once it may be thought dead', async () => {
    const { contracts } = door.world.relay
    const away = openDoor(failing('delete from hook_calls'), NOW)
    away.world.relay.contracts = async () => Promise.reject(new Error('the bridge is away'))
    expect(await call({}, away)).toMatchObject({ status: 500, body: { error: { message: /the bridge is away/ } } })
    expect(away.log.messages()).toContain('a call was not given back')
    expect((await call()).status).toBe(429)
    door.world.relay.contracts = contracts
    door.world.clock.nowMs += 120_000
    expect((await call({ atSec: NOW + 120 })).status).toBe(202)
  })

  it('does not say what is wrong with a call that is not right', async () => {
    const wrong: Call[] = [
      { secret: OTHER },
      { name: 'nobody' },
      { name: 'nobody', secret: OTHER },
      { name: '%00' },
      { atSec: NOW - 301 },
      { atSec: NOW + 301 },
      { headers: { 'webhook-id': 'msg_9' } },
      { headers: { 'webhook-id': '' } },
      { headers: { 'webhook-timestamp': String(NOW - 1) } },
      { headers: { 'webhook-timestamp': 'now' } },
      { headers: { 'webhook-signature': '' } },
      { headers: { 'webhook-signature': 'v1,' } },
      { headers: { 'webhook-signature': `v1a,${'A'.repeat(43)}=` } },
      { id: 'x'.repeat(257) },
    ]
    const answers = await Promise.all(wrong.map((one) => call(one)))
    for (const { status, body } of answers) {
      expect({ status, body }).toEqual({ status: 401, body: answers[0]?.body })
    }
    const changed = await door.call('POST', '/v1/hooks/nightly', {
      key: '',
      body: '{"x":1}',
      headers: {
        'webhook-id': 'msg_1',
        'webhook-timestamp': String(NOW),
        'webhook-signature': new Webhook(secret).sign('msg_1', new Date(NOW * 1000), '{}'),
      },
    })
    expect(changed.body).toEqual(answers[0]?.body)
    expect((await call()).status).toBe(202)
  })

  it('takes one of several signatures, minutes off, and any small body', async () => {
    const body = '{"whatever": [1, "é"]}'
    const right = new Webhook(secret).sign('msg_5', new Date((NOW - 299) * 1000), body)
    const both = { 'webhook-signature': `v1,${'A'.repeat(43)}= ${right}` }
    expect((await call({ id: 'msg_5', atSec: NOW - 299, body, headers: both })).status).toBe(202)
    expect((await call({ id: 'msg_7', body: '\ufeff{}' })).status).toBe(202)
    expect(await call({ id: 'msg_6', body: ' '.repeat(65 * 1024) })).toMatchObject({ status: 400 })
  })

  it('lets a call come again that came to nothing', async () => {
    const { contracts } = door.world.relay
    door.world.relay.contracts = async () => Promise.reject(new Error('the bridge is away'))
    expect((await call()).status).toBe(500)
    door.world.relay.contracts = contracts
    door.world.clock.nowMs += 3_600_000
    expect((await call({ atSec: NOW + 3600 })).status).toBe(202)
  })

  it('starts nothing while its dataset is paused', async () => {
    await door.world.store.pauseDataset('stocks', true, NOW)
    expect(await call()).toMatchObject({ status: 409, body: { error: { message: /"stocks" is paused/ } } })
    expect((await call({ secret: OTHER })).status).toBe(401)
    await door.world.store.pauseDataset('stocks', false, NOW)
    expect((await call()).status).toBe(202)
    await door.world.store.pauseDataset('stocks', true, NOW)
    expect((await call()).status).toBe(200)
    expect(await hookRuns()).toHaveLength(1)
  })

  it('is listed without its secret, gets a new one when it is put again, and can be removed', async () => {
    expect((await door.call<HooksAnswer>('GET', '/v1/hooks')).body).toEqual({
      hooks: [{ name: 'nightly', dataset: 'stocks', createdAt: '2026-04-08T18:00:00Z' }],
    })
    const again = await door.call<NewHookAnswer>('PUT', '/v1/hooks/nightly', { body: { dataset: 'stocks' } })
    expect(again.status).toBe(200)
    expect(again.body.secret).not.toBe(secret)
    expect((await call()).status).toBe(401)
    expect((await call({ secret: again.body.secret })).status).toBe(202)
    expect((await door.call('DELETE', '/v1/hooks/nightly')).status).toBe(200)
    expect((await door.call('DELETE', '/v1/hooks/nightly')).status).toBe(404)
    expect((await call({ id: 'msg_2', secret: again.body.secret })).status).toBe(401)
  })

  it('needs a dataset and a name', async () => {
    const put = (name: string, body: object) => door.call('PUT', `/v1/hooks/${name}`, { body })
    expect(await put('x', { dataset: 'none' })).toMatchObject({ status: 404 })
    expect(await put('x', {})).toMatchObject({ status: 400 })
    expect(await put('x%20y', { dataset: 'stocks' })).toMatchObject({ status: 400 })
  })
})
