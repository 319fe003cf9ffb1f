import {
  appendBars,
  type BarColumns,
  type ContractDetails,
  type ErrorKind,
  emptyBars,
  TidegateError,
} from '@tidegate/core'
import {
  type BarsDone,
  type BarsRequest,
  type BridgeStatus,
  barColumnsSchema,
  barsDoneSchema,
  type ContractsRequest,
  errorBodySchema,
  statusSchema,
} from './schema.ts'

/** The bridge as its callers see it. Every method throws a TidegateError whose kind says what to do next. */
export interface Relay {
  /** What the gateway says of every contract that fits; at least one, `not-found` otherwise. */
  contracts(request: ContractsRequest, signal?: AbortSignal): Promise<ContractDetails[]>
  /** One historical request, answered in full: never a part, never a failure dressed as no data. */
  bars(request: BarsRequest, signal?: AbortSignal): Promise<BarsAnswer>
  status(signal?: AbortSignal): Promise<BridgeStatus>
}

export interface BarsAnswer {
  readonly bars: BarColumns
  readonly done: BarsDone
}

export interface RelayOptions {
  /** Where the bridge listens: `http://127.0.0.1:8787`. */
  readonly url: string
  readonly key: string
  /** Default: the runtime's own. */
  readonly fetch?: (request: Request) => Promise<Response> | Response
}

/** A client of the relay at `url`. Aborting a call hangs up, and the bridge then cancels upstream. */
export function createRelay({ url, key, fetch = (request) => globalThis.fetch(request) }: RelayOptions): Relay {
  async function call(path: string, body: unknown, signal?: AbortSignal): Promise<Response> {
    const request = new Request(new URL(path, url), {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
    })
    let response: Response
    try {
      response = await fetch(request)
    } catch (cause) {
      throw new TidegateError(
        'disconnected',
        `The bridge at ${url} did not answer: check that it runs and that BRIDGE_URL is right.`,
        { cause },
      )
    }
    if (!response.ok) throw await errorOf(response)
    return response
  }

  return {
    async contracts(request, signal) {
      const body = (await (await call('/v1/contracts', request, signal)).json()) as { contracts: ContractDetails[] }
      return body.contracts
    },
    async bars(request, signal) {
      return readBars(await call('/v1/bars', request, signal))
    },
    async status(signal) {
      return statusSchema.parse(await (await call('/v1/status', undefined, signal)).json())
    },
  }
}

async function errorOf(response: Response): Promise<TidegateError> {
  const text = await response.text().catch(() => '')
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch (cause) {
    return new TidegateError('internal', `The bridge answered ${response.status} with no JSON: ${text.slice(0, 200)}`, {
      cause,
    })
  }
  return errorFrom((body as { error?: unknown }).error)
}

function errorFrom(body: unknown): TidegateError {
  const parsed = errorBodySchema.safeParse(body)
  if (!parsed.success)
    return new TidegateError('internal', 'The bridge answered with an error of an unknown shape.', {
      cause: parsed.error,
    })
  const { kind, message, code, retryAfterMs } = parsed.data
  return new TidegateError(kind as ErrorKind, message, { code, retryAfterMs })
}

/** Reads a bars reply to its `done` line. Without one the answer is not whole, and that is a failure. */
async function readBars(response: Response): Promise<BarsAnswer> {
  const bars = emptyBars()
  for await (const line of linesOf(response)) {
    if ('done' in line) {
      const done = barsDoneSchema.parse(line.done)
      if (done.bars !== bars.t.length) {
        throw new TidegateError(
          'disconnected',
          `The bridge announced ${done.bars} bars and sent ${bars.t.length}: asking again is safe.`,
        )
      }
      return { bars, done }
    }
    if ('error' in line) throw errorFrom(line.error)
    if ('t' in line) appendBars(bars, checkedColumns(line))
  }
  throw new TidegateError('disconnected', 'The reply of the bridge broke off before its end: asking again is safe.')
}

function checkedColumns(line: object): BarColumns {
  const columns = barColumnsSchema.parse(line)
  const { length } = columns.t
  if (Object.values(columns).some((column) => column.length !== length)) {
    throw new TidegateError('internal', 'The bridge sent columns of different lengths.')
  }
  return columns
}

async function* linesOf(response: Response): AsyncGenerator<object> {
  if (!response.body) return
  let rest = ''
  try {
    for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (line) yield JSON.parse(line) as object
    }
  } catch (cause) {
    if (cause instanceof TidegateError) throw cause
    throw new TidegateError('disconnected', 'The reply of the bridge broke off before its end: asking again is safe.', {
      cause,
    })
  }
}
