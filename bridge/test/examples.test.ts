import { readFileSync } from 'node:fs'
import { createSimulator } from '@tidegate/simulator'
import { afterEach, expect, it } from 'vitest'
import { NOW_SEC } from './market.ts'
import { endAll, KEY, onEnd, startBridge } from './rig.ts'

afterEach(endAll)

const DOCS = readFileSync(new URL('../../docs/relay.md', import.meta.url), 'utf8')
/** `ask /v1/bars '{…}'`, as the documentation has it. */
const EXAMPLES = [...DOCS.matchAll(/^ask (\/[\w/]+)(?: '(.*)'$)?/gm)].map(([, route = '', body]) => ({ route, body }))

it('every route has an example in the documentation', async () => {
  // The market that a reader has, too.
  const simulator = await createSimulator({ now: () => NOW_SEC * 1000 })
  onEnd(() => simulator.close())
  const { bridge } = await startBridge(simulator.port)
  const routes = [...DOCS.matchAll(/^\| `(?:GET|POST) (\/[\w/]+)` /gm)].map(([, route]) => route)
  expect(routes.length).toBeGreaterThan(8)
  // The stream has its own, in frames.
  const asked = new Set(EXAMPLES.map(({ route }) => route))
  expect(routes.filter((route) => route !== '/v1/stream' && !asked.has(route ?? ''))).toEqual([])
  for (const { route, body } of EXAMPLES) {
    const method = body === undefined ? 'GET' : 'POST'
    const headers = { authorization: `Bearer ${KEY}` }
    const response = await bridge.fetch(new Request(`http://bridge${route}`, { method, headers, body }))
    expect([route, response.status, await response.text()]).toEqual([
      route,
      200,
      expect.not.stringContaining('"error"'),
    ])
  }
})
