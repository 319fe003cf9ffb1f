import { type EventType, TidegateError } from '@tidegate/core'
import type { Delivery, EmbeddedDatabase, Store } from '@tidegate/db'
import type { Ingest, IngestOptions } from '@tidegate/ingest'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { freshPglite } from '../../../../test/support/pglite.ts'
import { type Receiver, startReceiver } from '../../../../test/support/receiver.ts'
import { wipe } from '../../../../test/support/wipe.ts'
import { createWorld, relayWith, type World } from '../world.ts'

const SECRET = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'
/** The library checks timestamps by the machine's clock. */
const NOW = Math.floor(Date.now() / 1000)
const DAY_SEC = 86_400

let database: EmbeddedDatabase
let receiver: Receiver
let world: World
let store: Store
let ingest: Ingest
let aborted: AbortController

beforeAll(async () => {
  ;[database, receiver] = await Promise.all([freshPglite(), startReceiver()])
})
afterAll(async () => {
  await receiver?.close()
  await database?.close()
})
beforeEach(async () => {
  await wipe(database)
  receiver.received.length = 0
  receiver.answers.clear()
  world = createWorld(database, NOW)
  store = world.store
  aborted = new AbortController()
  ingest = another()
})

function another(parts: Partial<IngestOptions> = {}): Ingest {
  const webhooks = { fetch: (request: Request) => fetch(request), allowPrivate: true }
  return world.another({ webhooks, timeout: () => aborted.signal, ...parts })
}

const put = (id: string, events: readonly EventType[] = ['run.finished', 'login.required'], url = receiver.url) =>
  store.putWebhook({ id, url: `${url}/${id}`, secret: SECRET, events, createdAt: NOW })

let runs = 0
/** So many events of one kind. */
async function happen(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await store.createRun({ id: `run-${++runs}`, source: 'test', chunks: [], now: NOW })
    await store.closeRuns(NOW)
  }
}

const deliveries = async (id: string): Promise<Delivery[]> => (await store.deliveries(id, 100)) ?? []

describe('telling', () => {
  it('posts an event to whom it concerns, signed, and once', async () => {
    await put('a')
    await put('b')
    await put('c', ['restatement'])
    await happen(1)
    expect(await ingest.tell()).toEqual({ delivered: 2, failed: 0 })
    expect(receiver.received.map(({ path }) => path).sort()).toEqual(['/a', '/b'])
    for (const { headers, body } of receiver.received) {
      expect(new Webhook(SECRET).verify(body, headers as Record<string, string>)).toEqual({
        id: headers['webhook-id'],
        type: 'run.finished',
        timestamp: new Date(NOW * 1000).toISOString().replace('.000Z', 'Z'),
        data: expect.objectContaining({ source: 'test', bars: 0, dataset: null }),
      })
      expect(headers).toMatchObject({ 'content-type': 'application/json', 'user-agent': 'Tidegate' })
    }
    expect(await ingest.tell()).toEqual({ delivered: 0, failed: 0 })
    expect(await deliveries('a')).toMatchObject([{ state: 'delivered', attempts: 1 }])
    expect(await deliveries('c')).toEqual([])
  })

  it('tells in order, and two passes at once post nothing twice', async () => {
    await put('a')
    await happen(12)
    const passes = await Promise.all([ingest.tell(), another().tell(), another().tell()])
    expect(passes.reduce((sum, { delivered }) => sum + delivered, 0)).toBe(12)
    const ids = receiver.bodies('/a').map(({ id }) => id)
    expect(new Set(ids).size).toBe(12)
    await happen(3)
    await ingest.tell()
    const told = receiver
      .bodies('/a')
      .slice(12)
      .map(({ data }) => (data as { run: string }).run)
    expect(told).toEqual([runs - 2, runs - 1, runs].map((run) => `run-${run}`))
  })

  it('tries again later under the same id, less and less often, and gives up after about three days', async () => {
    await put('a')
    await happen(1)
    receiver.answers.set('/a', 500)
    const waits: number[] = []
    for (;;) {
      await ingest.tell()
      const [delivery] = await deliveries('a')
      if (delivery?.dueAt === undefined) break
      waits.push(delivery.dueAt - world.clock.nowMs / 1000)
      expect(delivery.error).toBe('It answered 500.')
      world.clock.nowMs = delivery.dueAt * 1000 - 1
      expect((await ingest.tell()).failed).toBe(0)
      world.clock.nowMs = delivery.dueAt * 1000
    }
    expect(waits.slice(0, 8)).toEqual([5, 20, 80, 320, 1280, 5120, 20_480, 21_600])
    expect(waits.reduce((sum, wait) => sum + wait)).toBeGreaterThan(2.5 * DAY_SEC)
    expect(waits.reduce((sum, wait) => sum + wait)).toBeLessThan(3 * DAY_SEC)
    expect(await deliveries('a')).toMatchObject([{ state: 'given-up', attempts: 18, error: 'It answered 500.' }])
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-timestamp'])).size).toBeGreaterThan(10)

    receiver.answers.delete('/a')
    const [delivery] = await deliveries('a')
    await store.redoDelivery(delivery?.id ?? '', world.clock.nowMs / 1000)
    expect(await ingest.tell(delivery?.id)).toEqual({ delivered: 1, failed: 0 })
    expect(receiver.received.at(-1)?.headers['webhook-id']).toBe(receiver.received[0]?.headers['webhook-id'])
  })

  it('one that can not be told gets one try a pass, and holds up no other', async () => {
    await put('bad')
    await put('good')
    await happen(5)
    receiver.answers.set('/bad', 503)
    expect(await ingest.tell()).toEqual({ delivered: 5, failed: 1 })
    expect(receiver.bodies('/bad')).toHaveLength(1)
    expect(receiver.bodies('/good')).toHaveLength(5)
  })

  it('what never answers is hung up on, while the others have long been told', async () => {
    await put('silent')
    await put('good')
    await happen(2)
    const open = Promise.withResolvers<void>()
    receiver.answers.set('/silent', () => open.resolve())
    const passing = ingest.tell()
    await open.promise
    await vi.waitUntil(async () => (await store.webhooks()).find(({ id }) => id === 'good')?.deliveries.delivered === 2)
    aborted.abort()
    expect(await passing).toMatchObject({ failed: 1 })
    expect((await deliveries('silent')).map(({ error }) => error).filter(Boolean)).toEqual([
      'It did not answer within 10 s.',
    ])
  })

  it('what would not end even when it is hung up on is given up', async () => {
    await put('a')
    await happen(1)
    const begun = Promise.withResolvers<void>()
    const deaf = () => {
      begun.resolve()
      return new Promise<never>(() => {})
    }
    const passing = another({ webhooks: { fetch: deaf, allowPrivate: true } }).tell()
    await begun.promise
    aborted.abort()
    expect(await passing).toEqual({ delivered: 0, failed: 1 })
  })

  it('reads nothing of an answer that does not end', async () => {
    await put('a')
    await happen(1)
    receiver.answers.set('/a', (response) => {
      response.writeHead(200)
      response.write('x'.repeat(100_000))
    })
    expect(await ingest.tell()).toEqual({ delivered: 1, failed: 0 })
  })

  it('follows no redirect', async () => {
    await put('a')
    await happen(1)
    receiver.answers.set('/a', (response) => response.writeHead(307, { location: `${receiver.url}/b` }).end())
    await ingest.tell()
    expect(receiver.received.map(({ path }) => path)).toEqual(['/a'])
    expect((await deliveries('a'))[0]?.error).toBe(
      'It answered 307: redirects are not followed, give the address that it leads to.',
    )
  })

  it('410 ends a webhook', async () => {
    await put('a')
    await happen(3)
    receiver.answers.set('/a', 410)
    await ingest.tell()
    expect((await deliveries('a')).map(({ state }) => state)).toEqual(['given-up', 'given-up', 'given-up'])
    expect((await store.webhooks())[0]?.disabledAt).toBe(NOW)
    await happen(1)
    expect(await ingest.tell()).toEqual({ delivered: 0, failed: 0 })
    expect(receiver.received).toHaveLength(1)
  })

  it('says why nobody could be reached, and never more of a URL than its host', async () => {
    const gone = await startReceiver()
    await gone.close()
    await put('closed', undefined, gone.url)
    await put('private')
    await happen(1)
    await another({ webhooks: { fetch: (request) => fetch(request), allowPrivate: false } }).tell()
    expect((await deliveries('closed'))[0]?.error).toContain('127.0.0.1 is in a private network')
    world.clock.nowMs += 60_000
    await ingest.tell()
    expect((await deliveries('closed'))[0]?.error).toBe('It could not be reached: ECONNREFUSED.')
    expect(receiver.received).toHaveLength(1)
  })

  it('a pass that dies with its post is made up for when its lease is over', async () => {
    await put('a')
    await happen(1)
    await store.spreadEvents(NOW, 10)
    await store.claimDelivery({ webhookId: 'a' }, { now: NOW, leaseSec: 60 })
    expect(await ingest.tell()).toEqual({ delivered: 0, failed: 0 })
    world.clock.nowMs += 60_000
    expect(await ingest.tell()).toEqual({ delivered: 1, failed: 0 })
  })

  it('forgets what was delivered a week ago', async () => {
    await put('a')
    await happen(1)
    await ingest.tell()
    world.clock.nowMs += 6 * DAY_SEC * 1000
    await another().tell()
    expect(await deliveries('a')).toHaveLength(1)
    world.clock.nowMs += 2 * DAY_SEC * 1000
    await another().tell()
    expect(await deliveries('a')).toEqual([])
  })
})

describe('a login that is required', () => {
  it('is told once, by what the bridge says, until it was logged in again', async () => {
    await put('a', ['login.required'])
    let phase: 'login-required' | 'ready' | 'connecting' | 'away' = 'login-required'
    const relay = relayWith(world.relay, {
      async status(signal) {
        if (phase === 'away') throw new TidegateError('disconnected', 'The bridge is away.')
        const status = await world.relay.status(signal)
        return { ...status, gateway: { ...status.gateway, phase, reason: 'The weekly login is over.' } }
      },
    })
    const watching = another({ relay })
    for (const next of ['login-required', 'login-required', 'connecting', 'away', 'login-required'] as const) {
      phase = next
      await watching.tell()
    }
    expect(receiver.bodies('/a').map(({ data }) => data)).toEqual([{ reason: 'The weekly login is over.' }])
    phase = 'ready'
    await watching.tell()
    phase = 'login-required'
    await watching.tell()
    expect(receiver.bodies('/a')).toHaveLength(2)
  })
})
