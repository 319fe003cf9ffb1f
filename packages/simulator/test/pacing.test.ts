import { afterEach, describe, expect, it } from 'vitest'
import type { Simulator, SimulatorOptions } from '../src/index.ts'
import { startServer } from '../src/server.ts'
import { type Ask, contract, history, RawClient } from './wire-client.ts'
import { market, NOW_SEC } from './wire-market.ts'

let simulator: Simulator | undefined
let nowMs = NOW_SEC * 1000
afterEach(() => simulator?.close())

async function start(options: SimulatorOptions = {}): Promise<[Simulator, RawClient]> {
  nowMs = NOW_SEC * 1000
  simulator = await startServer(market, { now: () => nowMs, pacing: 'strict', ...options })
  return [simulator, await RawClient.start(simulator.port, 193, 1, ' +PACEAPI')]
}

const AAPL = contract('AAPL', 'STK', 'SMART', { currency: 'USD' })
const VIOLATION = 'Historical Market Data Service error message:Historical data request pacing violation'
let id = 0

/** The first message that answers a request: its id, or its code and text. */
async function answer(client: RawClient, ...request: (string | number)[]): Promise<string> {
  client.send(...request)
  const message = await client.one()
  return message[0] === '4' ? `${message[3]} ${message[4]}` : `${message[0]}`
}

const small = (ask: Ask = {}) => history(++id, { size: '5 secs', duration: '60 S', ...ask })
/** Ends that differ, so that no two requests are identical. */
const end = (i: number) =>
  `20260408-${String(14 + Math.floor(i / 60)).padStart(2, '0')}:${String(i % 60).padStart(2, '0')}:00`

describe('strict pacing', () => {
  it('ends an identical request within 15 seconds with 162, whichever client asks', async () => {
    const [{ port, violations }, client] = await start()
    expect(await answer(client, ...small())).toBe('17')
    const other = await RawClient.start(port, 193, 2)
    nowMs += 14_999
    expect(await answer(other, ...small())).toBe(`162 ${VIOLATION}`)
    // The same contract, named by its id.
    expect(await answer(other, ...small({ of: contract('', '', 'SMART', { conId: 1 }) }))).toBe(`162 ${VIOLATION}`)
    nowMs += 15_000
    expect(await answer(client, ...small())).toBe('17')
    expect(violations.map(({ rule }) => rule)).toEqual(['identical', 'identical'])
    expect(violations[0]).toMatchObject({ atMs: NOW_SEC * 1000 + 14_999, count: 2 })
  })

  it('ends the sixth of a contract in two seconds, and the 61st in ten minutes', async () => {
    const [{ violations }, client] = await start()
    for (let i = 0; i < 5; i++) expect(await answer(client, ...small({ end: end(i) }))).toBe('17')
    expect(await answer(client, ...small({ end: end(5) }))).toBe(`162 ${VIOLATION}`)
    for (let i = 6; i < 60; i++) {
      nowMs += 2000
      expect(await answer(client, ...small({ end: end(i) }))).toBe('17')
    }
    nowMs += 2000
    expect(await answer(client, ...small({ end: end(60) }))).toBe(`162 ${VIOLATION}`)
    expect(violations.map(({ rule }) => rule)).toEqual(['same-contract', 'small'])
  })

  it('counts head timestamps with the small ones, and leaves bars of a minute alone', async () => {
    const [, client] = await start()
    const head = () => [87, ++id, ...AAPL, 1, 'TRADES', 2]
    expect(await answer(client, ...head())).toBe('88')
    expect(await answer(client, ...head())).toBe(`162 ${VIOLATION}`)
    for (let i = 0; i < 100; i++) expect(await answer(client, ...history(++id, { duration: '60 S' }))).toBe('17')
  })

  it('ends a subscription to live bars with 420', async () => {
    const [, client] = await start()
    for (let i = 0; i < 60; i++) {
      nowMs += 2000
      client.send(...small({ end: end(i) }))
    }
    await client.next(60)
    const live = [50, 3, ++id, ...AAPL.slice(0, 12), 5, 'TRADES', 1, '']
    expect(await answer(client, ...live)).toBe('420 Invalid Real-time Query:Historical data request pacing violation')
  })

  it('says nothing of it where that is the fault', async () => {
    const [, client] = await start({ faults: { emptyViolations: true } })
    await answer(client, ...small())
    client.send(...small())
    expect((await client.one()).slice(2)).toEqual(['', '', '0'])
  })

  it('a refused request is over: its id is free', async () => {
    const [, client] = await start()
    await answer(client, ...small())
    expect(await answer(client, ...small())).toBe(`162 ${VIOLATION}`)
    expect(await answer(client, 25, 1, id)).toBe(`366 No historical data query found for ticker id:${id}`)
  })
})

describe('lenient pacing', () => {
  it('notes what strict would refuse, and answers it', async () => {
    const [{ violations }, client] = await start({ pacing: 'lenient' })
    for (let i = 0; i < 3; i++) expect(await answer(client, ...small())).toBe('17')
    expect(violations.map(({ rule }) => rule)).toEqual(['identical', 'identical'])
  })
})

it('counts open requests over all clients of a login', async () => {
  const [{ port, faults, violations }, client] = await start({ faults: { hmds: 'silent' } })
  for (let i = 0; i < 50; i++) client.send(...history(++id, { end: end(i) }))
  client.send(49, 1)
  await client.one()
  faults.hmds = 'ok'
  const other = await RawClient.start(port, 193, 2)
  expect(await answer(other, ...history(++id))).toContain('322 Error processing request')
  expect(violations.map(({ rule }) => rule)).toEqual(['open'])
  // The one refused holds no place: when one of the fifty ends, the next goes.
  expect(await answer(client, 25, 1, id - 1)).toContain('162')
  expect(await answer(other, ...history(++id))).toBe('17')
  client.end()
  await client.ended()
  await expect.poll(() => answer(other, ...history(++id))).toBe('17')
})
