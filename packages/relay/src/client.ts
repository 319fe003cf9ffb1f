import {
  appendBars,
  type BarColumns,
  type ContractDetails,
  type ErrorKind,
  emptyBars,
  TidegateError,
} from '@tidegate/core'
import { z } from 'zod'
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

/** Only as much of a contract's details as makes them usable: the bridge may say more than we know. */
const contractsSchema = z.object({
  contracts: z
    .array(z.looseObject({ contract: z.looseObject({ conId: z.int(), symbol: z.string(), secType: z.string() }) }))
    .min(1),
})

/** What a status says where no bridge of ours answered, but something between us and it. */
const KIND_OF_STATUS: Readonly<Record<number, ErrorKind>> = {
  401: 'unauthorized',
  403: 'forbidden',
  429: 'busy',
  502: 'disconnected',
  503: 'disconnected',
  504: 'timeout',
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
      const body = await bodyOf(await call('/v1/contracts', request, signal))
      return checked(contractsSchema, body).contracts as unknown as ContractDetails[]
    },
    async bars(request, signal) {
      return readBars(await call('/v1/bars', request, signal))
    },
    async status(signal) {
      return checked(statusSchema, await bodyOf(await call('/v1/status', undefined, signal)))
    },
  }
}

async function errorOf(response: Response): Promise<TidegateError> {
  const text = await response.text().catch(() => '')
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch (cause) {
    const kind = KIND_OF_STATUS[response.status] ?? 'internal'
    return new TidegateError(kind, `The bridge answered ${response.status} with no JSON: ${text.slice(0, 200)}`, {
      cause,
    })
  }
  return errorFrom((body as { error?: unknown } | null)?.error)
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

async function bodyOf(response: Response): Promise<unknown> {
  let text: string
  try {
    text = await response.text()
  } catch (cause) {
    throw brokenOff(cause)
  }
  return parsedJson(text)
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new TidegateError('internal', `The bridge sent what is no JSON: ${text.slice(0, 200)}`, { cause })
  }
}

/** What the bridge said, as this version knows it. Throws `internal` for anything else. */
function checked<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const where = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')
  throw new TidegateError(
    'internal',
    `The bridge answered otherwise than expected (${where}): do it and this side have the same version?`,
    { cause: parsed.error },
  )
}

function brokenOff(cause?: unknown): TidegateError {
  return new TidegateError('disconnected', 'The reply of the bridge broke off before its end: asking again is safe.', {
    cause,
  })
}

/** Reads a bars reply to its `done` line. Without one the answer is not whole, and that is a failure. */
async function readBars(response: Response): Promise<BarsAnswer> {
  const bars = emptyBars()
  for await (const line of linesOf(response)) {
    if ('done' in line) {
      const done = checked(barsDoneSchema, line.done)
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
  throw brokenOff()
}

function checkedColumns(line: object): BarColumns {
  const columns = checked(barColumnsSchema, line)
  const { length } = columns.t
  if (Object.values(columns).some((column) => column.length !== length)) {
    throw new TidegateError('internal', 'The bridge sent columns of different lengths.')
  }
  return columns
}

/** The objects of a newline-delimited reply. A last line without its end is not whole, and is left out. */
async function* linesOf(response: Response): AsyncGenerator<object> {
  if (!response.body) return
  const texts = response.body.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]()
  let rest = ''
  try {
    for (;;) {
      const { value, done } = await texts.next().catch((cause: unknown) => {
        throw brokenOff(cause)
      })
      if (done) return
      const lines = (rest + value).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (line) yield objectOf(line)
    }
  } finally {
    // Whoever stops reading before the end hangs up.
    await texts.return?.().catch(() => {})
  }
}

function objectOf(line: string): object {
  const value = parsedJson(line)
  if (typeof value === 'object' && value !== null) return value
  throw new TidegateError('internal', `The bridge sent a line that is no object: ${line.slice(0, 200)}`)
}
