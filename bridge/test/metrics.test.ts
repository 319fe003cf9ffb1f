import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { AAPL, endAll, KEY, type Rig, request, startBridge, startSimulator, until } from './rig.ts'
import { startListening, subscribe } from './streams.ts'

afterEach(endAll)

const READ_KEY = 'r'.repeat(32)
const DASHBOARD = new URL('../../infra/grafana/bridge.json', import.meta.url)

async function metricsOf({ bridge }: Rig, key = KEY): Promise<string> {
  const response = await bridge.fetch(
    new Request('http://bridge/metrics', { headers: { authorization: `Bearer ${key}` } }),
  )
  expect([response.status, response.headers.get('content-type')]).toEqual([
    200,
    'text/plain; version=0.0.4; charset=utf-8',
  ])
  return response.text()
}

/** The value of one metric with these labels; undefined where there is none. */
function sampleOf(text: string, name: string, labels = ''): number | undefined {
  const line = text.split('\n').find((one) => one.startsWith(`tidegate_bridge_${name}${labels ? `{${labels}}` : ''} `))
  return line === undefined ? undefined : Number(line.split(' ').at(-1))
}

describe('the metrics', () => {
  it('need a key, which may be one that only reads', async () => {
    const rig = await startBridge((await startSimulator()).port, { settings: { readKeys: [READ_KEY] } })
    expect((await rig.bridge.fetch(new Request('http://bridge/metrics'))).status).toBe(401)
    expect(await metricsOf(rig, READ_KEY)).toContain('tidegate_bridge_ready 1')
  })

  it('count requests by kind and outcome, and say how long they waited and were answered', async () => {
    const simulator = await startSimulator()
    const rig = await startBridge(simulator.port)
    await rig.relay.bars(request())
    await rig.relay.bars(request({ end: Date.UTC(2019, 0, 1) / 1000 }))
    await rig.relay.contracts({ contract: AAPL })
    await expect(rig.relay.contracts({ contract: { ...AAPL, symbol: 'NONE' } })).rejects.toThrow()
    await rig.bridge.fetch(new Request('http://bridge/v1/bars', { method: 'POST' }))
    const text = await metricsOf(rig)
    expect(sampleOf(text, 'requests_total', 'kind="bars",outcome="ok"')).toBe(1)
    expect(sampleOf(text, 'requests_total', 'kind="bars",outcome="empty"')).toBe(1)
    expect(sampleOf(text, 'requests_total', 'kind="contracts",outcome="ok"')).toBe(1)
    expect(sampleOf(text, 'requests_total', 'kind="contracts",outcome="not-found"')).toBe(1)
    expect(sampleOf(text, 'refused_total', 'kind="unauthorized"')).toBe(1)
    expect(sampleOf(text, 'wait_seconds_count', 'kind="bars"')).toBe(2)
    expect(sampleOf(text, 'answer_seconds_count', 'kind="bars"')).toBe(2)
    expect(sampleOf(text, 'gateway_messages_total', 'code="2106"')).toBe(1)
    expect(sampleOf(text, 'gateway_messages_total', 'code="200"')).toBe(1)
  })

  it('tell the login: its phase, farms, and connections', async () => {
    const simulator = await startSimulator()
    const rig = await startBridge(simulator.port, { random: () => 0 })
    await simulator.event({ type: 'notice', code: 2103 })
    await until('it is degraded', () => rig.bridge.status().phase === 'degraded')
    const text = await metricsOf(rig)
    expect(sampleOf(text, 'phase', 'phase="degraded"')).toBe(1)
    expect(sampleOf(text, 'phase', 'phase="ready"')).toBe(0)
    expect(sampleOf(text, 'farm_up', 'farm="usfarm",kind="market"')).toBe(0)
    expect(sampleOf(text, 'farm_up', 'farm="ushmds",kind="history"')).toBe(1)
    expect(sampleOf(text, 'connections_total')).toBe(1)
    await simulator.event({ type: 'drop' })
    await until('it is gone', () => rig.bridge.status().state === 'down')
    await until('it is back', () => rig.bridge.status().state === 'ready')
    expect(sampleOf(await metricsOf(rig), 'connections_total')).toBe(2)
  })

  it('tell what is left of the budgets, and how the process does', async () => {
    const rig = await startBridge((await startSimulator()).port)
    const text = await metricsOf(rig)
    for (const rule of ['messages', 'small', 'open']) {
      expect(sampleOf(text, 'pacing_left', `rule="${rule}"`)).toBeGreaterThan(0)
    }
    for (const priority of ['interactive', 'scheduled', 'backfill']) {
      expect(sampleOf(text, 'queued_requests', `priority="${priority}"`)).toBe(0)
    }
    expect(sampleOf(text, 'event_loop_lag_seconds', 'quantile="0.99"')).toBeGreaterThanOrEqual(0)
    expect(sampleOf(text, 'memory_bytes', 'part="resident"')).toBeGreaterThan(10_000_000)
  })

  it('are those of one bridge, not of all in the process', async () => {
    const { port } = await startSimulator()
    const first = await startBridge(port)
    const second = await startBridge(port)
    await first.relay.contracts({ contract: AAPL })
    expect(sampleOf(await metricsOf(first), 'requests_total', 'kind="contracts",outcome="ok"')).toBe(1)
    expect(sampleOf(await metricsOf(second), 'requests_total', 'kind="contracts",outcome="ok"')).toBeUndefined()
  })
})

describe('what comes over a stream', () => {
  it('is counted and told: subscriptions as they begin, end and are refused, and what is not asked', async () => {
    const simulator = await startSimulator()
    const rig = await startListening(simulator.port, { settings: { readKeys: [READ_KEY] } })
    const quotes = { kind: 'quotes', contract: AAPL } as const
    const good = subscribe(await rig.open(), quotes)
    await until('it stands', () => good.events.length > 0)
    const lines = (what: string) => rig.logged.filter((line) => line.endsWith(`} ${what}`))
    expect(lines('a subscription began')).toEqual([
      expect.stringMatching(/"request":"[\w-]{36}","kind":"quotes".*AAPL/),
    ])
    expect(sampleOf(await metricsOf(rig), 'stream_subscriptions')).toBe(1)
    good.end()
    await good.over
    await until('its end is told', () => lines('a subscription ended').length === 1)
    const reader = await rig.open(READ_KEY)
    await expect(subscribe(reader, quotes).over).rejects.toMatchObject({ kind: 'forbidden' })
    expect(lines('a subscription was refused')).toEqual([expect.stringContaining('"outcome":"forbidden"')])
    await expect(reader.bars({ ...request(), duration: 'long' })).rejects.toMatchObject({ kind: 'invalid' })
    const { say, frame } = await rig.raw()
    say('no JSON')
    await frame({ id: null })
    await expect(rig.open('w'.repeat(32))).rejects.toThrow()
    const text = await metricsOf(rig)
    expect(sampleOf(text, 'stream_subscriptions')).toBe(0)
    expect(sampleOf(text, 'stream_refused_total', 'kind="forbidden"')).toBe(1)
    expect(sampleOf(text, 'refused_total', 'kind="invalid"')).toBe(2)
    expect(sampleOf(text, 'refused_total', 'kind="unauthorized"')).toBe(1)
    expect(lines('a request was refused')).toHaveLength(3)
  })
})

describe('the dashboard for Grafana', () => {
  const dashboard = JSON.parse(readFileSync(DASHBOARD, 'utf8')) as {
    panels: { title: string; targets: { expr: string }[]; gridPos: object; datasource: object }[]
  }

  it('asks for nothing that a running bridge does not tell', async () => {
    const rig = await startBridge((await startSimulator()).port)
    await rig.relay.bars(request())
    const text = await metricsOf(rig)
    const known = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map((found) => found[1] ?? ''))
    const asked = new Set(
      dashboard.panels.flatMap(({ targets }) =>
        targets.flatMap(({ expr }) => expr.match(/tidegate_bridge_\w+/g) ?? []),
      ),
    )
    const family = (name: string) => (known.has(name) ? name : name.replace(/_(bucket|sum|count)$/, ''))
    expect([...asked].filter((name) => !known.has(family(name)))).toEqual([])
    // And shows all that it tells.
    const shown = new Set([...asked].map(family))
    expect([...known].filter((name) => !shown.has(name))).toEqual([])
  })

  it('has panels with titles and places of their own', () => {
    expect(dashboard.panels.length).toBeGreaterThan(8)
    expect(new Set(dashboard.panels.map(({ title }) => title)).size).toBe(dashboard.panels.length)
    expect(new Set(dashboard.panels.map(({ gridPos }) => JSON.stringify(gridPos))).size).toBe(dashboard.panels.length)
    for (const { targets, datasource } of dashboard.panels) {
      expect(targets.length).toBeGreaterThan(0)
      expect(datasource).toMatchObject({ type: 'prometheus' })
    }
  })
})

describe('the log', () => {
  it('has one line a request, with the caller’s id, the gateway’s, the outcome and the times', async () => {
    const simulator = await startSimulator()
    const rig = await startBridge(simulator.port)
    const ask = (body: object, id: string) =>
      rig.bridge.fetch(
        new Request('http://bridge/v1/bars', {
          method: 'POST',
          headers: { authorization: `Bearer ${KEY}`, 'x-request-id': id },
          body: JSON.stringify(body),
        }),
      )
    const good = await ask(request(), 'caller-1')
    expect(good.headers.get('x-request-id')).toBe('caller-1')
    await good.text()
    const bad = await ask(request({ contract: { ...AAPL, symbol: 'NONE' } }), 'caller-2')
    expect([bad.status, bad.headers.get('x-request-id')]).toEqual([404, 'caller-2'])
    const wrong = await ask({}, 'not an id, and far too long for one')
    expect(wrong.headers.get('x-request-id')).toMatch(/^[\w-]{36}$/)
    const lineOf = (id: string | null) => rig.logged.filter((line) => id !== null && line.includes(`"request":"${id}"`))
    const wireIds = simulator.received.filter((one) => one.messageId === 20).map((one) => Number(one.fields[1]))
    const [first, second] = [...lineOf('caller-1'), ...lineOf('caller-2')].map((line) =>
      JSON.parse(line.slice(0, line.lastIndexOf('}') + 1)),
    )
    expect(first).toMatchObject({
      gatewayId: wireIds[0],
      kind: 'bars',
      outcome: 'ok',
      waitedMs: expect.any(Number),
      answeredMs: expect.any(Number),
      bars: 18,
    })
    expect(second).toMatchObject({ gatewayId: wireIds[1], kind: 'bars', outcome: 'not-found', code: 200 })
    for (const id of ['caller-1', 'caller-2', wrong.headers.get('x-request-id')]) expect(lineOf(id)).toHaveLength(1)
  })
})
