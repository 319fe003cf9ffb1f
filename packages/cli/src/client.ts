import { type DatasetDefinition, type ErrorKind, type Hours, type Priority, TidegateError } from '@tidegate/core'
import type {
  AdjustmentAnswer,
  AdjustmentsAnswer,
  BarsAnswer,
  CoverageAnswer,
  DatasetAnswer,
  DatasetsAnswer,
  DeliveryAnswer,
  HooksAnswer,
  KeysAnswer,
  NewHookAnswer,
  NewKeyAnswer,
  NewWebhookAnswer,
  PlanAnswer,
  ProgressAnswer,
  RemovedAnswer,
  RestatementsAnswer,
  RunsAnswer,
  SeriesAnswer,
  SessionsAnswer,
  StartedAnswer,
  StatusAnswer,
  WebhooksAnswer,
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

/** What `POST /v1/plan` takes: the same, or a declared dataset. */
export type PlanBody = FetchBody | { readonly dataset: string }

export interface BarsQuery {
  readonly instrument: string
  readonly spec: string
  readonly hours?: Hours
  readonly start: string
  readonly end: string
  readonly limit: number
  /** That of the page before: the next is refused where the series was adjusted in between. */
  readonly adjustment?: number | undefined
}

/** What is to be judged: series and a window `[start, end)`, each where it is given, and the page. */
export interface CoverageQuery {
  readonly dataset?: string
  readonly instrument?: string
  readonly spec?: string
  readonly hours?: Hours
  readonly start?: string
  readonly end?: string
  readonly after?: number
}

/** What was told anew: of all series or of an instrument and a spec; bars that changed from `since` on. */
export interface RestatementsQuery {
  readonly instrument?: string | undefined
  readonly spec?: string | undefined
  readonly since?: string | undefined
  readonly limit: number
}

/** Tidegate's HTTP interface as the command uses it. Every method throws a TidegateError, the server's own where it answered. */
export interface Client {
  plan(body: PlanBody): Promise<PlanAnswer>
  start(body: FetchBody): Promise<StartedAnswer>
  run(id: string): Promise<ProgressAnswer>
  /** The newest runs, of all or of a state and a dataset. */
  runs(query: {
    readonly limit: number
    readonly state?: string | undefined
    readonly dataset?: string | undefined
  }): Promise<RunsAnswer>
  /** Stops a run; one that has ended stays as it is. */
  cancelRun(id: string): Promise<ProgressAnswer>
  /** Of everything, or of one instrument. */
  series(instrument?: string): Promise<SeriesAnswer>
  bars(query: BarsQuery): Promise<BarsAnswer>
  /** How complete series are. */
  coverage(query: CoverageQuery): Promise<CoverageAnswer>
  /** The sessions of one series. */
  sessions(query: CoverageQuery): Promise<SessionsAnswer>
  /** Bars that came otherwise later. */
  restatements(query: RestatementsQuery): Promise<RestatementsAnswer>
  /** The splits behind them. */
  adjustments(query: Omit<RestatementsQuery, 'since'>): Promise<AdjustmentsAnswer>
  /** Gives up what is being collected again after a split; what is stored stays as it was. */
  abandonAdjustment(id: string): Promise<AdjustmentAnswer>
  status(): Promise<StatusAnswer>
  datasets(): Promise<DatasetsAnswer>
  dataset(name: string): Promise<DatasetAnswer>
  /** Declares a dataset or replaces the one of its name. */
  declare(definition: DatasetDefinition): Promise<DatasetAnswer>
  pauseDataset(name: string, paused: boolean): Promise<DatasetAnswer>
  removeDataset(name: string, data: 'keep' | 'drop'): Promise<RemovedAnswer>
  /** Brings a dataset up to date now. */
  startDataset(name: string): Promise<StartedAnswer>
  createKey(key: { readonly name: string; readonly scopes: readonly string[] }): Promise<NewKeyAnswer>
  keys(): Promise<KeysAnswer>
  revokeKey(id: string): Promise<unknown>
  addWebhook(webhook: { readonly url: string; readonly events: readonly string[] }): Promise<NewWebhookAnswer>
  webhooks(): Promise<WebhooksAnswer>
  removeWebhook(id: string): Promise<unknown>
  /** Posts a test, and says what came of it. */
  testWebhook(id: string): Promise<DeliveryAnswer>
  /** Makes a hook of a dataset, or gives the one of this name another dataset and a new secret. */
  addHook(name: string, dataset: string): Promise<NewHookAnswer>
  hooks(): Promise<HooksAnswer>
  removeHook(name: string): Promise<unknown>
}

interface Call {
  /** Default: POST with a body, GET without. */
  readonly method?: 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly body?: object
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

  async function call<Answer>(path: string, { body, method = body ? 'POST' : undefined }: Call = {}): Promise<Answer> {
    const headers = { authorization: `Bearer ${key}`, ...(body ? { 'content-type': 'application/json' } : {}) }
    const request = new Request(new URL(path, base), {
      method,
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
    plan: (body) => call('/v1/plan', { body }),
    start: (body) => call('/v1/runs', { body }),
    run: (id) => call(`/v1/runs/${encodeURIComponent(id)}`),
    runs: (query) => call(`/v1/runs?${given(query)}`),
    cancelRun: (id) => call(`/v1/runs/${encodeURIComponent(id)}/cancel`, { method: 'POST' }),
    series: (instrument) => call(`/v1/series${instrument ? `?${new URLSearchParams({ instrument })}` : ''}`),
    bars: (query) => call(`/v1/bars?${given(query)}`),
    coverage: (query) => call(coveragePath(query)),
    sessions: (query) => call(coveragePath({ ...query, detail: 'sessions' })),
    restatements: (query) => call(`/v1/restatements?${given(query)}`),
    adjustments: (query) => call(`/v1/adjustments?${given(query)}`),
    abandonAdjustment: (id) => call(`/v1/adjustments/${encodeURIComponent(id)}/abandon`, { method: 'POST' }),
    status: () => call('/v1/status'),
    datasets: () => call('/v1/datasets'),
    dataset: (name) => call(pathOf(name)),
    declare: (body) => call('/v1/datasets', { body }),
    pauseDataset: (name, paused) => call(pathOf(name), { method: 'PATCH', body: { paused } }),
    removeDataset: (name, data) => call(`${pathOf(name)}?data=${data}`, { method: 'DELETE' }),
    startDataset: (name) => call(`${pathOf(name)}/runs`, { method: 'POST' }),
    createKey: (body) => call('/v1/keys', { body }),
    keys: () => call('/v1/keys'),
    revokeKey: (id) => call(`/v1/keys/${encodeURIComponent(id)}`, { method: 'DELETE' }),
    addWebhook: (body) => call('/v1/webhooks', { body }),
    webhooks: () => call('/v1/webhooks'),
    removeWebhook: (id) => call(`/v1/webhooks/${encodeURIComponent(id)}`, { method: 'DELETE' }),
    testWebhook: (id) => call(`/v1/webhooks/${encodeURIComponent(id)}/test`, { method: 'POST' }),
    addHook: (name, dataset) => call(`/v1/hooks/${encodeURIComponent(name)}`, { method: 'PUT', body: { dataset } }),
    hooks: () => call('/v1/hooks'),
    removeHook: (name) => call(`/v1/hooks/${encodeURIComponent(name)}`, { method: 'DELETE' }),
  }
}

function pathOf(dataset: string): string {
  return `/v1/datasets/${encodeURIComponent(dataset)}`
}

function coveragePath(query: CoverageQuery & { readonly detail?: 'sessions' }): string {
  return `/v1/coverage?${given(query)}`
}

/** What of a query is given. */
function given(query: object): URLSearchParams {
  const entries: [string, unknown][] = Object.entries(query).filter(([, value]) => value !== undefined)
  return new URLSearchParams(entries.map(([name, value]) => [name, String(value)]))
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
