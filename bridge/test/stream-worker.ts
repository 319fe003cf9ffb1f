import { connectByFetch, createStream, type StreamEvent } from '@tidegate/relay'

/** A Worker that asks for bars and a first quote over one stream, and answers with both. */
export default {
  async fetch(request: Request): Promise<Response> {
    const { url, key, bars, contract } = (await request.json()) as {
      url: string
      key: string
      bars: Parameters<Awaited<ReturnType<typeof createStream>>['bars']>[0]
      contract: typeof bars.contract
    }
    const stream = await createStream({ url, key, connect: connectByFetch((to) => fetch(to)) })
    const { done } = await stream.bars(bars)
    const events: StreamEvent[] = []
    const enough = new AbortController()
    const hear = (event: StreamEvent) => {
      events.push(event)
      if (event.quote) enough.abort()
    }
    await stream.subscribe({ kind: 'quotes', contract }, hear, enough.signal)
    stream.close()
    return Response.json({ done, events })
  },
}
