import { beforeEach, expect, it } from 'vitest'
import { NOW, type Subject } from './fixture.ts'

const CLAIM = { now: NOW, leaseSec: 60 }

/** Who is told, and the life of a delivery. */
export function describeWebhooks({ store }: Subject): void {
  beforeEach(async () => {
    for (const id of ['a', 'b']) {
      const events = ['run.finished', 'run.failed'] as const
      await store.putWebhook({ id, url: `https://${id}.example/`, secret: 'whsec_c2VjcmV0', events, createdAt: NOW })
    }
  })

  const put = (id: string, webhookId = 'a', now = NOW) =>
    store.putTest({ id, webhookId, eventId: `evt_${id}`, body: `{"id":"evt_${id}"}`, now })
  const taken = async (id: string, now = NOW) => {
    const claim = await store.claimDelivery({ deliveryId: id }, { ...CLAIM, now })
    if (!claim) throw new Error(`There was no ${id} to claim.`)
    return claim
  }

  it('are listed without their secrets, with what became of their deliveries', async () => {
    expect(await put('one')).toBe(true)
    expect(await put('two', 'a', NOW + 1)).toBe(true)
    expect(await put('three', 'nobody')).toBe(false)
    await store.settleDelivery(await taken('one'), { state: 'delivered' }, NOW + 2)
    const listed = await store.webhooks()
    expect(JSON.stringify(listed)).not.toContain('whsec')
    expect(listed).toMatchObject([
      {
        id: 'a',
        url: 'https://a.example/',
        events: ['run.finished', 'run.failed'],
        createdAt: NOW,
        disabledAt: undefined,
        deliveries: { waiting: 1, delivered: 1, 'given-up': 0 },
        last: { id: 'two', state: 'waiting', dueAt: NOW + 1, attempts: 0, error: undefined, endedAt: undefined },
      },
      { id: 'b', deliveries: { waiting: 0 }, last: undefined },
    ])
    expect((await store.deliveries('a', 10))?.map(({ id }) => id)).toEqual(['two', 'one'])
    expect(await store.deliveries('a', 1)).toHaveLength(1)
    expect(await store.deliveries('nobody', 1)).toBeUndefined()
    expect(await store.delivery('one')).toMatchObject({ state: 'delivered', endedAt: NOW + 2, dueAt: undefined })
    expect(await store.removeWebhook('a')).toBe(true)
    expect(await store.removeWebhook('a')).toBe(false)
    expect(await store.delivery('one')).toBeUndefined()
  })

  it('a delivery is claimed by one at a time, the oldest first, and again when its lease is over', async () => {
    await put('late', 'a', NOW + 100)
    await put('second', 'a', NOW - 1)
    await put('first', 'a', NOW - 2)
    expect(await store.dueWebhooks(NOW)).toEqual(['a'])
    const claims = await Promise.all([1, 2, 3].map(() => store.claimDelivery({ webhookId: 'a' }, CLAIM)))
    expect(claims.map((claim) => claim?.id).sort()).toEqual(['first', 'second', undefined])
    expect(claims.find((claim) => claim?.id === 'first')).toEqual({
      id: 'first',
      webhookId: 'a',
      eventId: 'evt_first',
      url: 'https://a.example/',
      secret: 'whsec_c2VjcmV0',
      body: '{"id":"evt_first"}',
      attempt: 1,
    })
    expect(await store.dueWebhooks(NOW + 59)).toEqual([])
    expect(await taken('first', NOW + 60)).toMatchObject({ attempt: 2 })
  })

  it('an attempt is settled by its holder alone', async () => {
    await put('one')
    const stale = await taken('one')
    const claim = await taken('one', NOW + 60)
    expect(await store.settleDelivery(stale, { state: 'delivered' }, NOW)).toBe(false)
    const later = { state: 'waiting', notBefore: NOW + 300, error: 'It answered 500.' } as const
    expect(await store.settleDelivery(claim, later, NOW)).toBe(true)
    expect(await store.delivery('one')).toMatchObject({ attempts: 2, dueAt: NOW + 300, error: 'It answered 500.' })
    const last = await taken('one', NOW + 300)
    expect(await store.settleDelivery(last, { state: 'given-up', error: 'It answered 404.' }, NOW + 301)).toBe(true)
    expect(await store.settleDelivery(last, { state: 'delivered' }, NOW + 302)).toBe(false)
    expect(await store.delivery('one')).toMatchObject({
      state: 'given-up',
      endedAt: NOW + 301,
      error: 'It answered 404.',
    })
  })

  it('a delivery can be done again, with all its attempts before it', async () => {
    await put('one')
    await store.settleDelivery(await taken('one'), { state: 'given-up', error: 'no' }, NOW)
    expect(await store.redoDelivery('one', NOW + 9)).toBe(true)
    expect(await store.redoDelivery('nothing', NOW)).toBe(false)
    expect(await store.delivery('one')).toMatchObject({
      state: 'waiting',
      dueAt: NOW + 9,
      attempts: 0,
      endedAt: undefined,
    })
    expect(await taken('one', NOW + 9)).toMatchObject({ attempt: 1, eventId: 'evt_one' })
  })

  it('an address that is gone for good is told nothing more', async () => {
    await put('one')
    await put('two')
    await put('other', 'b')
    const claim = await taken('one')
    expect(
      await store.settleDelivery({ ...claim, attempt: 9 }, { state: 'gone', error: 'It answered 410.' }, NOW),
    ).toBe(false)
    expect((await store.webhooks()).map(({ disabledAt }) => disabledAt)).toEqual([undefined, undefined])
    expect(await store.settleDelivery(claim, { state: 'gone', error: 'It answered 410.' }, NOW)).toBe(true)
    expect((await store.webhooks()).map(({ disabledAt }) => disabledAt)).toEqual([NOW, undefined])
    expect((await store.deliveries('a', 9))?.map(({ state, error }) => [state, error])).toEqual([
      ['given-up', 'It answered 410.'],
      ['given-up', 'It answered 410.'],
    ])
    expect(await store.dueWebhooks(NOW)).toEqual(['b'])
  })

  it('deliveries that ended long ago are forgotten, those that wait are not', async () => {
    for (const id of ['old', 'new', 'waiting']) await put(id)
    await store.settleDelivery(await taken('old'), { state: 'delivered' }, NOW)
    await store.settleDelivery(await taken('new'), { state: 'delivered' }, NOW + 10)
    await store.pruneDeliveries(NOW + 10)
    expect((await store.deliveries('a', 9))?.map(({ id }) => id)).toEqual(['waiting', 'new'])
  })
}
