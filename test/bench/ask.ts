import { BENCH_KEY } from './key.ts'

const START_SEC = Date.UTC(2024, 0, 1) / 1000
const AAPL = { secType: 'STK', symbol: 'AAPL', exchange: 'SMART', currency: 'USD' } as const
const authorization = `Bearer ${BENCH_KEY}`

/** Asks the bridge at `url` for bars, the `n`-th of requests that are all different, and reads its answer to the end. Its status, and when to come again. */
export async function askBars(
  url: string,
  n: number,
  patience: object = {},
): Promise<{ status: number; retryAfterMs: number }> {
  const response = await fetch(`${url}/v1/bars`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify({
      contract: AAPL,
      barSize: '1 min',
      whatToShow: 'TRADES',
      end: START_SEC + n * 60,
      duration: '1 D',
      ...patience,
    }),
  })
  await response.arrayBuffer()
  return { status: response.status, retryAfterMs: Number(response.headers.get('retry-after') ?? 0) * 1000 }
}

/** What the bridge's /metrics say of one of its numbers: the line that begins so. */
export async function metricOf(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`, { headers: { authorization } })).text()
  const line = text.split('\n').find((one) => one.startsWith(`tidegate_bridge_${name} `))
  if (!line) throw new Error(`The bridge has no metric ${name}.`)
  return Number(line.split(' ').at(-1))
}
