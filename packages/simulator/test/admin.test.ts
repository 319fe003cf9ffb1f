import { readFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { noFaults } from '../src/faults.ts'
import { FAULTS, readFaults, type Simulator } from '../src/index.ts'
import { startServer } from '../src/server.ts'
import { history, RawClient } from './wire-client.ts'
import { market, NOW_SEC } from './wire-market.ts'

let simulator: Simulator
let base: string
beforeEach(async () => {
  simulator = await startServer(market, { now: () => NOW_SEC * 1000, admin: { port: 0 } })
  base = `http://${simulator.admin?.host}:${simulator.admin?.port}`
})
afterEach(() => simulator.close())

async function send(method: string, path: string, body?: unknown, type = 'application/json') {
  const init = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }
  const response = await fetch(`${base}${path}`, { method, headers: { 'content-type': type }, ...init })
  return [response.status, await response.json()] as const
}

describe('the admin interface', () => {
  it('shows every fault and what it is', async () => {
    const [status, body] = await send('GET', '/faults')
    expect(status).toBe(200)
    expect(body.faults).toEqual({ ...noFaults(), refuse: null, refuseHistory: null })
    expect(body.market).toEqual({ splits: [], settlementDelaySec: null })
    expect(body.known.map(({ name }: { name: string }) => name).sort()).toEqual(Object.keys(noFaults()).sort())
  })

  it('sets faults, and takes what it showed', async () => {
    const refuse = { times: 2, code: 162, text: 'no', of: 'history' }
    const [status, body] = await send('PATCH', '/faults', { delayMs: 5, hmds: 'refusing', heldIds: [3], refuse })
    expect([status, body.faults.delayMs, body.faults.heldIds]).toEqual([200, 5, [3]])
    expect(simulator.faults).toMatchObject({ delayMs: 5, hmds: 'refusing', heldIds: [3], refuse })
    expect((await send('PATCH', '/faults', { ...body.faults, refuse: null }))[0]).toBe(200)
    expect(simulator.faults.refuse).toBeUndefined()
  })

  it('makes events happen', async () => {
    const client = await RawClient.start(simulator.port, 193)
    expect((await send('POST', '/events', { type: 'notice', code: 1100 }))[1].faults.lost).toBe(true)
    expect((await client.one())[3]).toBe('1100')
    await send('POST', '/events', { type: 'drop' })
    await client.ended()
  })

  it('tells what broke the rules of pacing', async () => {
    const client = await RawClient.start(simulator.port, 193)
    for (const id of [1, 2]) client.send(...history(id, { size: '5 secs', duration: '60 S' }))
    await client.next(2)
    const [, body] = await send('GET', '/violations')
    expect(body).toEqual({ atMs: NOW_SEC * 1000, violations: simulator.violations })
    expect(body.violations).toHaveLength(1)
  })

  it.each([
    [400, 'PATCH', '/faults', { nonsense: 1 }, 'There is no fault "nonsense"'],
    [400, 'PATCH', '/faults', { delayMs: -1 }, 'The fault delayMs is -1; expected a whole number.'],
    [400, 'PATCH', '/faults', { halfOpen: 'yes' }, 'expected true or false'],
    [400, 'PATCH', '/faults', { frames: 'torn' }, 'expected whole, split, merged'],
    [400, 'PATCH', '/faults', { heldIds: ['x'] }, 'expected a list of client ids'],
    [400, 'PATCH', '/faults', { refuse: { times: 1 } }, 'expected times:code:text'],
    [400, 'PATCH', '/faults', [], 'Expected an object of faults'],
    [400, 'PATCH', '/faults', '{', 'The body is not JSON.'],
    [400, 'POST', '/events', { type: 'party' }, 'There is no event "party"'],
    [400, 'POST', '/events', { type: 'restart' }, 'needs downMs'],
    [400, 'POST', '/events', { type: 'notice', code: 'x' }, 'needs a code'],
    [400, 'POST', '/events', { type: 'split', conId: 1 }, 'needs a conId, a ratio above 0'],
    [400, 'POST', '/events', { type: 'settlement', delaySec: -1 }, 'needs delaySec'],
    [400, 'POST', '/events', { type: 'toString' }, 'There is no event "toString"'],
    [404, 'GET', '/', undefined, 'Known are'],
  ])('answers %i to %s %s %j', async (status, method, path, body, text) => {
    const before = structuredClone(simulator.faults)
    const answer = await send(method, path, body)
    expect(answer[0]).toBe(status)
    expect(answer[1].error).toContain(text)
    expect(simulator.faults).toEqual(before)
  })

  it('takes no body that a web page could send', async () => {
    expect((await send('PATCH', '/faults', '{"halfOpen":true}', 'text/plain'))[0]).toBe(400)
    expect(simulator.faults.halfOpen).toBe(false)
  })

  it('leaves no gateway behind where its own port is taken', async () => {
    const port = simulator.admin?.port ?? 0
    await expect(startServer(market, { admin: { port } })).rejects.toThrow(`127.0.0.1:${port}`)
  })
})

describe('faults from texts, as the command line has them', () => {
  it('reads each kind', () => {
    const texts = { halfOpen: 'true', delayMs: '20', hmds: 'silent', heldIds: '1,2', refuse: '3:200:a: text' }
    expect(readFaults(texts)).toEqual({
      halfOpen: true,
      delayMs: 20,
      hmds: 'silent',
      heldIds: [1, 2],
      refuse: { times: 3, code: 200, text: 'a: text' },
    })
  })

  it('has a row for each fault, and so have the docs', async () => {
    expect(FAULTS.map(({ name }) => name).sort()).toEqual(Object.keys(noFaults()).sort())
    const docs = await readFile(new URL('../../../docs/simulator.md', import.meta.url), 'utf8')
    for (const { name } of FAULTS) expect(docs).toContain(`| \`${name}\` | \`--`)
  })
})
