import type { ErrorKind } from '@tidegate/core'
import { afterEach, describe, expect, it } from 'vitest'
import { type Client, startRawGateway } from './gateway.ts'
import { NOW_SEC } from './market.ts'
import { AAPL, endAll, request, sent, startBridge, startSimulator, until } from './rig.ts'

afterEach(endAll)

const HMDS = 'Historical Market Data Service error message:'
const BAR = [NOW_SEC - 3600, 1, 1, 1, 1, 1, 1, 1]

/** A bridge to a gateway that answers every historical request as `answer` does at the time. */
async function answering(answer: (client: Client, id: string) => void) {
  const gateway = await startRawGateway({
    nowSec: () => NOW_SEC,
    script: (client, fields) => {
      if (fields[0] === '20') answer(client, fields[1] ?? '')
      if (fields[0] === '9') answer(client, fields[2] ?? '')
    },
  })
  return { gateway, ...(await startBridge(gateway.port)) }
}

const error = (code: number, text: string) => (client: Client, id: string) => client.send(4, 2, id, code, text, '')

describe('a message that came too fast', () => {
  it('is dropped by the gateway, which names no request: what is open is ended and asked again', async () => {
    let dropped = true
    const { relay, gateway } = await answering((client, id) => {
      if (dropped) client.send(4, 2, -1, 100, 'Max rate of messages per second has been exceeded:max=50 rec=51 (1)', '')
      else client.send(17, id, '', '', 1, ...BAR)
      dropped = false
    })
    await expect(relay.bars(request({ waitMs: 0 }))).rejects.toMatchObject({ kind: 'pacing', code: 100 })
    await until('the cancel of what is open', () => gateway.received.some(([id]) => id === '25'))
    expect((await relay.bars(request({ duration: '2 D' }))).done.bars).toBe(1)
  })
})

describe('what the gateway says of a request', () => {
  const cases: readonly (readonly [code: number, text: string, kind: ErrorKind, status: number])[] = [
    [162, `${HMDS}Historical data request pacing violation`, 'pacing', 429],
    [162, `${HMDS}No market data permissions for NYSE STK`, 'no-permission', 409],
    [162, `${HMDS}No historical market data for EUR/CASH@IDEALPRO Last 60`, 'invalid', 400],
    [162, `${HMDS}API historical data query cancelled: 28`, 'timeout', 504],
    [162, `${HMDS}something never seen`, 'internal', 500],
    [200, 'No security definition has been found for the request', 'not-found', 404],
    [200, 'The contract description specified for MSFT is ambiguous.', 'invalid', 400],
    [162, `${HMDS}HMDS server disconnect occurred.  Attempting reconnection...`, 'farm-down', 503],
    [320, "Error reading request.-'bK' : cause - …", 'invalid', 400],
    [321, "Error validating request.-'bK' : cause - Historical data bar size setting is invalid.", 'invalid', 400],
    [
      322,
      "Error processing request.-'bK' : cause - Only 50 simultaneous API historical data requests allowed.",
      'pacing',
      429,
    ],
    [323, 'Server error', 'internal', 500],
    [354, 'Requested market data is not subscribed.', 'no-permission', 409],
    [10187, 'Failed to request historical ticks:No market data permissions', 'no-permission', 409],
    [10314, 'End Date/Time: The date, time, or time-zone entered is invalid.', 'invalid', 400],
    [10339, 'Setting end date/time for continuous future security type is not allowed.', 'invalid', 400],
    [420, 'Invalid Real-time Query:Historical data request pacing violation', 'pacing', 429],
    [2105, 'HMDS data farm connection is broken:ushmds', 'farm-down', 503],
    [1100, 'Connectivity between IB and Trader Workstation has been lost.', 'disconnected', 503],
    [424242, 'never seen', 'internal', 500],
  ]
  it('becomes an error of a kind, with the code and the gateway’s own words', async () => {
    let code = 0
    let text = ''
    const { relay } = await answering((client, id) => error(code, text)(client, id))
    for (const [index, [aCode, aText, kind, status]] of cases.entries()) {
      code = aCode
      text = aText
      const expected = { kind, status, code, message: expect.stringContaining(`IBKR answered ${code}: ${text}`) }
      await expect(relay.bars(request({ duration: `${index + 1} D`, waitMs: 0 })), text).rejects.toMatchObject(expected)
    }
  })

  it.each([
    [162, `${HMDS}Trading TWS session is connected from a different IP address`],
    [10197, 'No market data during competing live session'],
  ])('may be that another session has the login: %i pauses it', async (code, text) => {
    const { relay, gateway } = await answering(error(code, text))
    const expected = {
      kind: 'competing-session',
      status: 503,
      code,
      retryAfterMs: expect.toSatisfy((ms: number) => ms > 50_000 && ms <= 60_000),
      message: expect.stringContaining(`IBKR answered ${code}: ${text} — Close the other TWS session of this login.`),
    }
    for (const duration of ['1 D', '2 D'])
      await expect(relay.bars(request({ duration }))).rejects.toMatchObject(expected)
    expect(gateway.received.filter(([id]) => id === '20')).toHaveLength(1)
  })

  it('names a contract that IBKR does not know, or knows twice', async () => {
    const { relay } = await startBridge((await startSimulator()).port)
    const contract = (symbol: string) => ({ ...AAPL, symbol })
    await expect(relay.contracts({ contract: contract('NONE') })).rejects.toMatchObject({
      kind: 'not-found',
      code: 200,
    })
    await expect(relay.bars(request({ contract: contract('NONE') }))).rejects.toMatchObject({ status: 404 })
    await expect(relay.bars(request({ contract: contract('DUAL') }))).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining('Name its primary exchange'),
    })
    await expect(relay.bars(request({ barSize: '1 secs', duration: '9 Y' }))).rejects.toMatchObject({
      status: 400,
      code: 321,
    })
  })

  it('says "no data" as an answer, and only in IBKR’s own words', async () => {
    const { relay } = await startBridge((await startSimulator()).port)
    const { bars, done } = await relay.bars(request({ end: Date.UTC(2019, 0, 1) / 1000 }))
    expect(bars.t).toEqual([])
    expect(done).toEqual({ bars: 0, empty: true, asOf: NOW_SEC, simulated: true, notices: [] })
  })

  it('may be a warning beside the bars', async () => {
    const notice = 'Up-to-the-second historical data requires a subscription.'
    const { relay } = await answering((client, id) => {
      client.send(4, 2, id, 2188, notice, '')
      client.send(4, 2, id, 366, 'No historical data query found', '')
      client.send(17, id, '', '', 1, ...BAR)
    })
    const { bars, done } = await relay.bars(request())
    expect(bars.c).toEqual([1])
    expect(done).toMatchObject({ bars: 1, empty: false, notices: [{ code: 2188, message: notice }] })
  })

  it('is a breach of pacing where it is no bars and no word', async () => {
    const { relay } = await answering((client, id) => client.send(17, id, '', '', 0))
    const retryAfterMs = expect.toSatisfy((ms: number) => ms > 15_000 && ms <= 15_500)
    await expect(relay.bars(request({ waitMs: 0 }))).rejects.toMatchObject({
      kind: 'pacing',
      status: 429,
      retryAfterMs,
    })
  })
})

describe('a gateway that closes', () => {
  it('in the middle of a reply: disconnected, and none of its bars', async () => {
    const simulator = await startSimulator({ faults: { dropMidReply: 1 } })
    const { relay, bridge } = await startBridge(simulator.port, { random: () => 0 })
    const minutes = { barSize: '1 min', waitMs: 0 } as const
    await expect(relay.bars(request(minutes))).rejects.toMatchObject({ kind: 'disconnected', status: 503 })
    await until('it is back', () => bridge.status().state === 'ready')
    expect((await relay.bars(request({ ...minutes, duration: '2 D' }))).done.bars).toBeGreaterThan(900)
  })

  it('fails every open request, and sends none of them again for who has no patience', async () => {
    const simulator = await startSimulator({ faults: { silentHistory: true } })
    const { relay, bridge } = await startBridge(simulator.port, { random: () => 0 })
    const ask = (duration: string) => relay.bars(request({ duration, waitMs: 0 }))
    const failed = Promise.allSettled(['1 D', '2 D', '3 D'].map(ask))
    await until('they arrive', () => sent(simulator, 20) === 3)
    simulator.faults.silentHistory = false
    simulator.faults.dropMidReply = 1
    await expect(ask('4 D')).rejects.toMatchObject({ kind: 'disconnected' })
    for (const outcome of await failed) expect(outcome).toMatchObject({ reason: { kind: 'disconnected' } })
    await until('it is back', () => bridge.status().state === 'ready')
    await ask('5 D')
    expect(sent(simulator, 20)).toBe(5)
  })

  it('makes what is asked meanwhile fail at once for who has no patience, with when to come again', async () => {
    const simulator = await startSimulator()
    const { relay, bridge } = await startBridge(simulator.port)
    await simulator.close()
    await until('it is gone', () => bridge.status().state === 'down')
    await expect(relay.bars(request({ waitMs: 0 }))).rejects.toMatchObject({
      kind: 'disconnected',
      status: 503,
      retryAfterMs: 30_000,
    })
    await expect(relay.contracts({ contract: AAPL, waitMs: 0 })).rejects.toMatchObject({ kind: 'disconnected' })
  })
})
