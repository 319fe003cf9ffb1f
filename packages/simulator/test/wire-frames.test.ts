import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Simulator } from '../src/index.ts'
import { startServer } from '../src/server.ts'
import { ByteQueue, frame, nextFrame, splitFields } from '../src/wire/frames.ts'
import { decimal, price } from '../src/wire/numbers.ts'
import { bytesOf, RawClient } from './wire-client.ts'
import { market, NOW_SEC } from './wire-market.ts'

const field = fc.string({ maxLength: 20 }).map((text) => text.replaceAll('\0', ''))
const message = fc.array(field, { minLength: 1, maxLength: 12 })
const cuts = fc.array(fc.nat(), { maxLength: 30 })

/** The same bytes in other pieces. */
function pieces(bytes: Buffer, at: readonly number[]): Buffer[] {
  const marks = [0, ...at.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return marks.slice(1).map((end, i) => bytes.subarray(marks[i], end))
}

describe('framing', () => {
  it('gives the same messages however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 8 }), cuts, (messages, at) => {
        const queue = new ByteQueue()
        const seen: string[][] = []
        for (const piece of pieces(Buffer.concat(messages.map((one) => frame(one))), at)) {
          queue.push(piece)
          for (let payload = nextFrame(queue); payload; payload = nextFrame(queue)) seen.push(splitFields(payload))
        }
        expect(seen).toEqual(messages)
        expect(queue.size).toBe(0)
      }),
    )
  })
})

describe('framing on a socket', () => {
  let simulator: Simulator
  beforeAll(async () => {
    simulator = await startServer(market, { now: () => NOW_SEC * 1000 })
  })
  afterAll(() => simulator.close())

  it('answers alike when greeting, start and requests come in any pieces', async () => {
    const greeting = Buffer.concat([Buffer.from('API\0'), Buffer.from([0, 0, 0, 9]), Buffer.from('v100..178')])
    const script = (id: number) =>
      Buffer.concat([greeting, bytesOf(71, 2, id, ''), bytesOf(81, 5, 'AAPL'), bytesOf(49, 1), bytesOf(61, 1)])
    let id = 0
    await fc.assert(
      fc.asyncProperty(cuts, async (at) => {
        const client = await RawClient.open(simulator.port)
        client.socket.setNoDelay(true)
        for (const piece of pieces(script(++id), at)) {
          client.socket.write(piece)
          await new Promise(setImmediate)
        }
        const ids = (await client.next(9)).map((one) => one[0])
        client.end()
        await client.ended()
        expect(ids).toEqual(['178', '15', '9', '4', '4', '4', '79', '49', '62'])
      }),
      { numRuns: 40 },
    )
  })
})

describe('numbers', () => {
  it('print exactly, without exponents', () => {
    const doubles = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer(), fc.constant(-1e-7))
    fc.assert(
      fc.property(doubles, (value) => {
        const texts = [decimal(value), price(value, true), price(value, false)]
        for (const text of texts) {
          expect(text).toMatch(/^-?\d+(\.\d+)?$/)
          expect(Number(text) === value).toBe(true)
        }
        expect(texts[1]).toMatch(/\.\d\d/)
      }),
    )
    expect([price(254.2, true), price(254, true), price(1.08525, true), price(254.2, false)]).toEqual([
      '254.20',
      '254.00',
      '1.08525',
      '254.2',
    ])
    expect([decimal(1e-7), decimal(1.25e21), decimal(-1.5e-9)]).toEqual([
      '0.0000001',
      '1250000000000000000000',
      '-0.0000000015',
    ])
  })
})
