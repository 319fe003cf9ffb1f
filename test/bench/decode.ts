import { monitorEventLoopDelay } from 'node:perf_hooks'
import { BarSizeSetting, EventName, IBApi, type WhatToShow } from '@stoqey/ib'
import { systemClock } from '../../bridge/src/clock.ts'
import { connect } from '../../bridge/src/gateway.ts'
import { startChild } from './child.ts'
import type { Figure } from './figure.ts'

const CONTRACT = { secType: 'STK', symbol: 'AAPL', exchange: 'SMART', currency: 'USD' } as const
/** Enough bars for a figure that two runs agree on, and few enough for the library's own decoder to end. */
const SIZES = [
  { bars: 1000, ours: 400, library: 20 },
  { bars: 5000, ours: 100, library: 4 },
  { bars: 50_000, ours: 12, library: 0 },
]
const TARGET = { barsPerSec: 200_000, stallMs: 50, atBars: 50_000 }

interface Speed {
  readonly barsPerSec: number
  readonly stallMs: number
}

/** How fast historical replies become columns, and how long the event loop stands still meanwhile, beside @stoqey/ib's own way. */
export async function benchDecode(): Promise<Figure[]> {
  const rows: Record<string, string>[] = []
  const figures: Figure[] = []
  for (const { bars, ours, library } of SIZES) {
    const gateway = await startChild('gateway.ts', String(bars))
    const port = Number(gateway.said)
    const own = await decodeWithBridge(port, bars, ours)
    const plain = library > 0 ? await decodeWithLibrary(port, bars, library) : undefined
    await gateway.stop()
    rows.push({
      'bars a message': bars.toLocaleString('en'),
      'bridge, bars/s': whole(own.barsPerSec),
      'longest stall, ms': own.stallMs.toFixed(1),
      '@stoqey/ib, bars/s': plain ? whole(plain.barsPerSec) : '-',
      ratio: plain ? (own.barsPerSec / plain.barsPerSec).toFixed(1) : '-',
    })
    if (bars === TARGET.atBars) {
      figures.push({ name: 'decode, bars/s at 50,000 a message', reached: own.barsPerSec, atLeast: TARGET.barsPerSec })
      figures.push({ name: 'decode, longest event-loop stall, ms', reached: own.stallMs, atMost: TARGET.stallMs })
    }
  }
  console.log('\nDecoding historical replies')
  console.table(rows)
  return figures
}

async function decodeWithBridge(port: number, bars: number, messages: number): Promise<Speed> {
  const { signal } = new AbortController()
  const connection = await connect({
    host: '127.0.0.1',
    port,
    clientId: 1,
    marketDataType: 4,
    clock: systemClock,
    requestTimeoutMs: 60_000,
    message: () => Promise.resolve(),
    signal,
  })
  const ask = async () => {
    const { bars: columns } = await connection.history(
      {
        contract: CONTRACT,
        barSize: '1 min',
        whatToShow: 'TRADES',
        regularHours: true,
        end: undefined,
        duration: '1 D',
      },
      signal,
    )
    if (columns.t.length !== bars) throw new Error(`The reply held ${columns.t.length} bars, not ${bars}.`)
  }
  const speed = await measure(ask, bars, messages)
  connection.close()
  await connection.ended
  return speed
}

async function decodeWithLibrary(port: number, bars: number, messages: number): Promise<Speed> {
  const ib = new IBApi({ host: '127.0.0.1', port, clientId: 2, maxReqPerSec: 1000 })
  const ready = new Promise((resolve) => ib.once(EventName.nextValidId, resolve))
  ib.connect()
  await ready
  let id = 0
  const ask = () =>
    new Promise<void>((resolve) => {
      let seen = 0
      const listen = (_id: number, date: string) => {
        if (!date.startsWith('finished-')) {
          seen++
          return
        }
        ib.off(EventName.historicalData, listen)
        if (seen !== bars) throw new Error(`The reply held ${seen} bars, not ${bars}.`)
        resolve()
      }
      ib.on(EventName.historicalData, listen)
      ib.reqHistoricalData(
        ++id,
        { ...CONTRACT, secType: 'STK' as never },
        '',
        '1 D',
        BarSizeSetting.MINUTES_ONE,
        'TRADES' as WhatToShow,
        1,
        2,
        false,
      )
    })
  const speed = await measure(ask, bars, messages)
  ib.disconnect()
  return speed
}

async function measure(ask: () => Promise<void>, bars: number, messages: number): Promise<Speed> {
  await ask()
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const begun = performance.now()
  for (let i = 0; i < messages; i++) await ask()
  const tookSec = (performance.now() - begun) / 1000
  delay.disable()
  return { barsPerSec: (bars * messages) / tookSec, stallMs: delay.max / 1e6 }
}

const whole = (value: number) => Math.round(value).toLocaleString('en')
