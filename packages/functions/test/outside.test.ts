import type { LookupAddress } from 'node:dns'
import type { ServerResponse } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Receiver, startReceiver } from '../../../test/support/receiver.ts'
import { createOutsideFetch, type OutsideOptions } from '../src/outside.ts'

let receiver: Receiver
beforeAll(async () => {
  receiver = await startReceiver()
})
afterAll(() => receiver?.close())

/** A resolver of names that a test makes up, and how often it was asked. */
function resolver(names: Record<string, readonly string[][]>) {
  const asked: string[] = []
  const lookup = (name: string, _: object, done: (error: Error | null, addresses: LookupAddress[]) => void) => {
    const answers = names[name] ?? []
    const addresses = answers[Math.min(asked.filter((one) => one === name).length, answers.length - 1)]
    asked.push(name)
    if (!addresses) return done(new Error(`${name} is nobody's name`), [])
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )
  }
  return { asked, lookup: lookup as unknown as NonNullable<OutsideOptions['lookup']> }
}

const post = (url: string, signal?: AbortSignal) =>
  new Request(url, { method: 'POST', body: '{"é":1}', headers: { 'x-one': 'two' }, signal })

describe('what goes outside', () => {
  const portOf = () => new URL(receiver.url).port

  it('is posted as it is, where private networks are allowed', async () => {
    const { lookup } = resolver({ 'hooks.example': [['127.0.0.1']] })
    const fetch = createOutsideFetch({ allowPrivate: true, lookup })
    expect((await fetch(post(`http://hooks.example:${portOf()}/a?b`))).status).toBe(204)
    expect(receiver.received.at(-1)).toMatchObject({
      path: '/a?b',
      body: '{"é":1}',
      headers: { host: `hooks.example:${portOf()}`, 'x-one': 'two', 'content-length': '8' },
    })
  })

  it.each([
    ['a private address', ['10.0.0.1']],
    ['one private address of several', ['93.184.216.34', '127.0.0.1']],
    ['a mapped one', ['::ffff:169.254.169.254']],
  ])('is not, for a name of %s', async (_, addresses) => {
    const { lookup } = resolver({ 'hooks.example': [addresses] })
    const before = receiver.received.length
    const posting = createOutsideFetch({ allowPrivate: false, lookup })(post(`http://hooks.example:${portOf()}/`))
    await expect(posting).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining('private network'),
    })
    expect(receiver.received).toHaveLength(before)
  })

  it('is not, for an address that needs no resolver', async () => {
    const { lookup, asked } = resolver({})
    for (const host of ['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]']) {
      const posting = createOutsideFetch({ allowPrivate: false, lookup })(post(`http://${host}:${portOf()}/`))
      await expect(posting).rejects.toMatchObject({ kind: 'invalid' })
    }
    expect(asked).toEqual([])
  })

  it('goes to the address that was checked: a name is asked once', async () => {
    // The first answer is public and leads nowhere; the second, which nobody may ask for, is this machine.
    const { lookup, asked } = resolver({ 'rebound.example': [['192.88.98.1'], ['127.0.0.1']] })
    const before = receiver.received.length
    const stop = new AbortController()
    const posting = createOutsideFetch({ allowPrivate: false, lookup })(
      post(`http://rebound.example:${portOf()}/`, stop.signal),
    )
    setImmediate(() => stop.abort())
    await expect(posting).rejects.toThrow()
    expect(asked).toEqual(['rebound.example'])
    expect(receiver.received).toHaveLength(before)
  })

  it('ends with its signal, and reads nothing of an answer that does not end', async () => {
    const fetch = createOutsideFetch({ allowPrivate: true })
    const stop = new AbortController()
    receiver.answers.set('/silent', () => stop.abort())
    await expect(fetch(post(`${receiver.url}/silent`, stop.signal))).rejects.toMatchObject({ name: 'AbortError' })
    receiver.answers.set('/endless', (response) => {
      response.writeHead(200)
      response.write('x'.repeat(1_000_000))
    })
    expect((await fetch(post(`${receiver.url}/endless`))).status).toBe(200)
    receiver.answers.set('/moved', (response) => response.writeHead(302, { location: '/a' }).end())
    expect((await fetch(post(`${receiver.url}/moved`))).status).toBe(302)
  })

  it('gives up an answer that is none', async () => {
    const fetch = createOutsideFetch({ allowPrivate: true })
    const raw = (text: string) => (response: ServerResponse) => response.socket?.end(text)
    const upgrade = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'
    receiver.answers.set('/upgrade', raw(upgrade))
    await expect(fetch(post(`${receiver.url}/upgrade`))).rejects.toThrow('It answered 101')
    for (const text of ['', 'nonsense', 'HTTP/1.1 ', 'HTTP/1.1 101 Switching Protocols\r\n\r\n']) {
      receiver.answers.set('/odd', raw(text))
      await expect(fetch(post(`${receiver.url}/odd`))).rejects.toThrow()
    }
    receiver.answers.set('/999', raw('HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n'))
    await expect(fetch(post(`${receiver.url}/999`))).rejects.toMatchObject({ message: /^It answered 999, / })
    receiver.answers.set('/continue', raw('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n'))
    expect((await fetch(post(`${receiver.url}/continue`))).status).toBe(204)
  })

  it('says what went wrong where nobody has such a name', async () => {
    const { lookup } = resolver({})
    await expect(createOutsideFetch({ allowPrivate: false, lookup })(post('http://no.example/'))).rejects.toThrow(
      "no.example is nobody's name",
    )
  })
})
