import { build } from 'esbuild'
import { Miniflare } from 'miniflare'
import { afterEach, expect, it } from 'vitest'
import { AAPL, endAll, KEY, onEnd, request, sent, until } from './rig.ts'
import { startStreams } from './streams.ts'

afterEach(endAll)

it('a Worker opens a stream by a request, asks and subscribes over it', async () => {
  const { url, relay, simulator } = await startStreams()
  const { outputFiles } = await build({
    entryPoints: [`${import.meta.dirname}/stream-worker.ts`],
    bundle: true,
    format: 'esm',
    write: false,
  })
  const script = outputFiles[0]?.text ?? ''
  const worker = new Miniflare({ script, modules: true, cf: false, compatibilityDate: '2026-07-01' })
  onEnd(() => worker.dispose())
  const answer = await worker.dispatchFetch('http://worker/', {
    method: 'POST',
    body: JSON.stringify({ url, key: KEY, bars: request(), contract: AAPL }),
  })
  const { done, events } = (await answer.json()) as { done: object; events: object[] }
  expect(done).toEqual((await relay.bars(request())).done)
  expect(events[0]).toEqual({ subscribed: true })
  expect(events.at(-1)).toHaveProperty('quote')
  await until('its subscription is ended', () => sent(simulator, 2) === 1)
})
