import { type ErrorKind, type Hours, type Priority, TidegateError } from '@tidegate/core'
import type {
  BarsAnswer,
  PlanAnswer,
  ProgressAnswer,
  SeriesAnswer,
  StartedAnswer,
  StatusAnswer,
} from '@tidegate/functions'
import { errorBodySchema } from '@tidegate/relay'
import { z } from 'zod'

/** What `POST /v1/plan` and `POST /v1/runs` take. Instants as the API reads them; the window is `[start, end)`, UTC. */
export interface FetchBody {
  readonly instruments: readonly string[]
  readonly specs: readonly string[]
  readonly hours?: Hours
  readonly start: string
  readonly end: string
  readonly priority?: Priority
}

export interface BarsQuery {
  readonly instrument: string
  readonly spec: string
  readonly hours?: Hours
  readonly start: string
  readonly end: string
  readonly limit: number
}

/** Tidegate's HTTP interface as the command uses it. Every method throws a TidegateError, the server's own where it answered. */
export interface Client {
  plan(body: FetchBody): Promise<PlanAnswer>
  start(body: FetchBody): Promise<StartedAnswer>
  run(id: string): Promise<ProgressAnswer>
  /** Of everything, or of one instrument. */
  series(instrument?: string): Promise<SeriesAnswer>
  bars(query: BarsQuery): Promise<BarsAnswer>
  status(): Promise<StatusAnswer>
}

export interface ClientOptions {
  readonly url: string
  readonly key: string
  readonly fetch: (request: Request) => Promise<Response>
}

const errorAnswer = z.object({ error: errorBodySchema })

/** A client of the Tidegate at `url`, over the network or, with its own `fetch`, in this process. */
export function createClient({ url, key, fetch }: ClientOptions): Client {
  const base = baseOf(url)

  async function call<Answer>(path: string, body?: FetchBody): Promise<Answer> {
    const headers = { authorization: `Bearer ${key}`, ...(body ? { 'content-type': 'application/json' } : {}) }
    const request = new Request(new URL(path, base), {
      method: body ? 'POST' : 'GET',
      headers,
      body: body ? JSON.stringify(body) : undefined,
    })
    let response: Response
    try {
      response = await fetch(request)
    } catch (cause) {
      throw new TidegateError(
        'disconnected',
        `Tidegate at ${base.origin} did not answer: check that it runs, or unset TIDEGATE_URL to work without it.`,
        { cause },
      )
    }
    const text = await response.text()
    let answer: unknown
    try {
      answer = JSON.parse(text)
    } catch (cause) {
      const start = text.slice(0, 100)
      throw new TidegateError(
        'internal',
        `${base.origin} answered ${response.status} with no JSON: is that Tidegate? ${start}`,
        {
          cause,
        },
      )
    }
    if (!response.ok) throw errorOf(answer, response.status, base.origin)
    return answer as Answer
  }

  return {
    plan: (body) => call('/v1/plan', body),
    start: (body) => call('/v1/runs', body),
    run: (id) => call(`/v1/runs/${encodeURIComponent(id)}`),
    series: (instrument) => call(`/v1/series${instrument ? `?${new URLSearchParams({ instrument })}` : ''}`),
    bars: ({ limit, hours, ...query }) =>
      call(`/v1/bars?${new URLSearchParams({ ...query, ...(hours ? { hours } : {}), limit: String(limit) })}`),
    status: () => call('/v1/status'),
  }
}

function errorOf(answer: unknown, status: number, url: string): TidegateError {
  const parsed = errorAnswer.safeParse(answer)
  if (!parsed.success) {
    return new TidegateError('internal', `${url} answered ${status} with an error of an unknown shape.`, {
      cause: parsed.error,
    })
  }
  const { kind, message, code, retryAfterMs } = parsed.data.error
  return new TidegateError(kind as ErrorKind, message, { code, retryAfterMs })
}

/** Throws `invalid` for what is no HTTP URL, or one that holds a name or a password, which must not be shown. */
function baseOf(url: string): URL {
  const base = URL.canParse(url) ? new URL(url) : undefined
  if (!base || !/^https?:$/.test(base.protocol)) {
    throw new TidegateError('invalid', 'TIDEGATE_URL is no URL: expected one such as http://127.0.0.1:8080.')
  }
  if (base.username || base.password) {
    throw new TidegateError(
      'invalid',
      `TIDEGATE_URL at ${base.origin} holds a name or a password: TIDEGATE_KEY is all it takes.`,
    )
  }
  return base
}
