import { EventName, IBApi } from '@stoqey/ib'
import type { BarColumns } from '@tidegate/core'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { createFrameReader, messageId } from '../src/frames.ts'
import { decodeHistory, type HistoryHead } from '../src/history.ts'
import { frame, startRawGateway } from './gateway.ts'
import { NOW_SEC } from './market.ts'
import { AAPL, endAll, onEnd, request, startBridge, startSimulator, until } from './rig.ts'

afterEach(endAll)

describe('frames', () => {
  it('are the same however the network splits and joins them', () => {
    const payloads = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 30 })
    fc.assert(
      fc.property(payloads, fc.array(fc.nat(400)), (sent, cuts) => {
        const stream = Buffer.concat(
          sent.map((payload) => {
            const length = Buffer.alloc(4)
            length.writeUInt32BE(payload.length)
            return Buffer.concat([length, payload])
          }),
        )
        const read = createFrameReader()
        const got: Buffer[] = []
        let at = 0
        for (const cut of [...cuts, stream.length]) {
          got.push(...read(stream.subarray(at, at + cut)))
          at = Math.min(stream.length, at + cut)
        }
        expect(got.map((one) => [...one])).toEqual(sent.map((one) => [...one]))
      }),
    )
  })

  it('come byte by byte as well as at once', () => {
    const stream = Buffer.concat([frame(17, 1), frame(), frame('x'.repeat(5000)), frame(49, 1)])
    const read = createFrameReader()
    const got: Buffer[] = []
    for (const byte of stream) got.push(...read(Buffer.from([byte])))
    expect(got.map((one) => one.length)).toEqual([5, 0, 5001, 5])
  })

  it('of more bytes than any message has are refused, before they are held', () => {
    const read = createFrameReader()
    expect(() => read(Buffer.from([0x04, 0, 0, 1]))).toThrow(
      'A frame of 67108865 bytes was announced; expected at most',
    )
  })

  it('begin with their message id', () => {
    expect(messageId(Buffer.from('17\x001\0'))).toBe(17)
    for (const text of ['', '17', '\x0017', 'abc\0', '12345\0']) expect(messageId(Buffer.from(text))).toBeNaN()
  })
})

interface Bar {
  readonly t: number
  readonly prices: readonly number[]
  readonly sizes: readonly (number | null)[]
}

const price = fc.oneof(
  fc.constant(-1),
  fc.constant(0),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 }),
)
const size = fc.oneof(
  fc.constant(null),
  fc.nat(),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: 0, max: 1e12 }),
)
const count = fc.oneof(fc.constant(null), fc.nat())
const bar = fc.record({
  t: fc.integer({ min: 100_000_000, max: 4_000_000_000 }),
  prices: fc.tuple(price, price, price, price),
  sizes: fc.tuple(size, size, count),
})

/** A reply as a gateway prints it: absent sizes −1, or nothing at all. */
function printed(bars: readonly Bar[], absent = '-1', date = (bar: Bar) => String(bar.t)): Buffer {
  const rows = bars.flatMap((one) => [date(one), ...one.prices, ...one.sizes.map((value) => value ?? absent)])
  return frame(17, 1001, '20260407 18:00:00 UTC', '20260408 18:00:00 UTC', bars.length, ...rows).subarray(4)
}

function decoded(payload: Buffer): { head: HistoryHead | undefined; bars: Bar[]; slices: number[] } {
  let head: HistoryHead | undefined
  const bars: Bar[] = []
  const slices: number[] = []
  for (const part of decodeHistory(payload)) {
    if ('requestId' in part) head = part
    else {
      slices.push(part.t.length)
      bars.push(...rowsOf(part))
    }
  }
  return { head, bars, slices }
}

function rowsOf({ t, o, h, l, c, v, w, n }: BarColumns): Bar[] {
  return t.map((sec, i) => ({
    t: sec,
    prices: [o, h, l, c].map((column) => column[i] ?? Number.NaN),
    sizes: [v, w, n].map((column) => column[i] ?? null),
  }))
}

describe('a historical reply', () => {
  it('decodes to the bars it was printed from, −1 prices kept and −1 sizes null', () => {
    fc.assert(
      fc.property(fc.array(bar, { maxLength: 60 }), fc.constantFrom('-1', ''), (bars, absent) => {
        const reply = decoded(printed(bars, absent))
        expect(reply.head).toEqual({ requestId: 1001, count: bars.length })
        // A printed −0 reads as −0; toEqual tells the zeros apart, and no market does.
        expect(JSON.stringify(reply.bars)).toBe(JSON.stringify(bars))
      }),
    )
  })

  it('holds the very doubles that JavaScript reads in its texts, however many digits they have', () => {
    const digits = (most: number) =>
      fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: most })
    const text = fc
      .tuple(fc.constantFrom('', '-'), digits(17), fc.option(digits(17)), fc.constantFrom('', '', 'E-5', 'e+3'))
      .map(([sign, whole, decimals, power]) => `${sign}${whole}${decimals === null ? '' : `.${decimals}`}${power}`)
    fc.assert(
      fc.property(fc.tuple(text, text, text, text), (texts) => {
        const reply = decoded(frame(17, 1, '', '', 1, 1e9, ...texts, 1, 1, 1).subarray(4))
        expect(reply.bars[0]?.prices).toEqual(texts.map(Number))
      }),
      { numRuns: 1000 },
    )
  })

  it.each(['', '-', '.', '1.', '.5', '1.2.3', '--1', '+1', '1 ', '1e', 'Infinity', '1e999', '٣'])(
    'whose price is "%s" is refused',
    (text) => {
      const payload = frame(17, 1, '', '', 1, 1e9, 1, 1, 1, text, 1, 1, 1).subarray(4)
      expect(() => decoded(payload)).toThrow("A bar's price is")
    },
  )

  it('is decoded in slices of a thousand bars, none lost where they meet', () => {
    const bars = Array.from({ length: 12_345 }, (_, i) => ({
      t: 1e9 + i * 60,
      prices: [i, i + 1, -1, 0.1 * i],
      sizes: [i, null, 1],
    }))
    const reply = decoded(printed(bars))
    expect(reply.bars).toEqual(bars)
    expect(reply.slices.length).toBeGreaterThan(3)
    expect(Math.max(...reply.slices)).toBe(1000)
  })

  it('dates a daily bar 00:00 UTC of its date', () => {
    const bars = [{ t: 0, prices: [1, 1, 1, 1], sizes: [1, 1, 1] }]
    expect(decoded(printed(bars, '-1', () => '20240229')).bars[0]?.t).toBe(Date.UTC(2024, 1, 29) / 1000)
  })

  it('that holds more or fewer bars than it says is an error', () => {
    const bars = fc.array(bar, { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(bars, fc.integer({ min: -3, max: 3 }), fc.nat(7), (rows, off, cut) => {
        fc.pre(off !== 0 || cut !== 0)
        const fields = printed(rows).toString('latin1').split('\0').slice(0, -1)
        fields[4] = String(rows.length + off)
        const payload = Buffer.from(`${fields.slice(0, cut === 0 ? undefined : -cut).join('\0')}\0`)
        expect(() => decoded(payload)).toThrow(/announced/)
      }),
    )
  })

  it.each([
    [{ prices: ['0x10', 2, 3, 4] }, '0x10'],
    [{ prices: [' ', 2, 3, 4] }, ' '],
    [{ sizes: [1, 1, 1.5] }, '1.5'],
    [{ t: '20240230' }, '20240230'],
    [{ t: '-99999999999999' }, '-99999999999999'],
  ])('with a field that JavaScript alone would take, %j, is an error that shows it', (odd, shown) => {
    const one = { t: '1000000000', prices: [1, 2, 3, 4], sizes: [1, 1, 1], ...odd }
    const payload = frame(17, 1001, '', '', 1, one.t, ...one.prices, ...one.sizes).subarray(4)
    expect(() => decoded(payload)).toThrow(shown)
  })

  it('with a field that is no number is an error that shows it', () => {
    const one = { t: 1e9, prices: [1, 2, 3, 4], sizes: [1, 1, 1] }
    const broken = (at: number, text: string) => {
      const fields = printed([one]).toString('latin1').split('\0')
      fields[at] = text
      return () => decoded(Buffer.from(fields.join('\0')))
    }
    expect(broken(5, '20260402 09:30:00 US/Eastern')).toThrow('A bar\'s time is "20260402 09:30:00 US/Eastern"')
    expect(broken(5, '')).toThrow('time is ""')
    expect(broken(6, '')).toThrow('price is ""')
    expect(broken(9, 'NaN')).toThrow('price is "NaN"')
    expect(broken(10, 'many')).toThrow('volume, wap or count is "many"')
    expect(() => decoded(Buffer.from('17\x001\0'))).toThrow('broke off within its head')
  })

  it('that can not be read fails its request and no other', async () => {
    const good = [NOW_SEC - 3600, 1, 1, 1, 1, 1, 1, 1]
    const gateway = await startRawGateway({
      script: (client, [id, requestId = '', ...rest]) => {
        if (id !== '20') return
        if (rest.includes('9 D')) client.send(17, requestId, '', '', 2, ...good)
        else client.send(17, requestId, '', '', 1, ...good)
      },
    })
    const { relay } = await startBridge(gateway.port)
    const [bad, fine] = await Promise.allSettled([relay.bars(request({ duration: '9 D' })), relay.bars(request())])
    expect(bad).toMatchObject({
      reason: { kind: 'internal', message: expect.stringContaining('announced 2 bars and held 1') },
    })
    expect(fine).toMatchObject({ value: { bars: { c: [1] } } })
    expect(gateway.clients).toHaveLength(1)
  })

  it('equals what the library itself decodes', async () => {
    const simulator = await startSimulator()
    const wanted = request({ barSize: '1 min', duration: '1 D' })
    const { relay } = await startBridge(simulator.port)
    const { bars } = await relay.bars(wanted)

    const ib = new IBApi({ host: '127.0.0.1', port: simulator.port, clientId: 7 })
    onEnd(() => void ib.disconnect())
    const rows: (string | number | undefined)[][] = []
    let finished = false
    ib.on(EventName.historicalData, (_id, time, open, high, low, close, volume, count, wap) => {
      if (time.startsWith('finished')) finished = true
      else rows.push([Number(time), open, high, low, close, volume, wap, count])
    })
    ib.on(EventName.nextValidId, () => {
      const contract = { ...AAPL, secType: 'STK' as never }
      ib.reqHistoricalData(
        1,
        contract,
        '20260408-18:00:00',
        '1 D',
        '1 min' as never,
        'TRADES' as never,
        false,
        2,
        false,
      )
    })
    ib.connect()
    await until('the library has decoded', () => finished)
    expect(rows.length).toBeGreaterThan(900)
    expect(
      bars.t.map((sec, i) => [sec, bars.o[i], bars.h[i], bars.l[i], bars.c[i], bars.v[i], bars.w[i], bars.n[i]]),
    ).toEqual(rows)
  })
})
