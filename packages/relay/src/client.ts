import { appendBars, type BarColumns, type ContractDetails, emptyBars, TidegateError } from '@tidegate/core'
import type { z } from 'zod'
import { brokenOff, checked, errorOf, parsedJson } from './errors.ts'
import { assertWhole, readLines } from './lines.ts'
import {
  type BarsDone,
  type BarsRequest,
  barColumnsSchema,
  barsDoneSchema,
  type Chain,
  type ChainsRequest,
  type ContractsRequest,
  chainsAnswerSchema,
  contractsAnswerSchema,
  type HeadRequest,
  headAnswerSchema,
  type Match,
  type RelayStatus,
  type SearchRequest,
  type SessionsAnswer,
  type SessionsRequest,
  searchAnswerSchema,
  sessionsAnswerSchema,
  statusSchema,
  type TicksDone,
  type TicksRequest,
  ticksDoneSchema,
} from './schema/index.ts'
import { type ColumnsOf, createPage } from './ticks.ts'

/** The bridge as its callers see it. Every method throws a TidegateError whose kind says what to do next. */
export interface Relay {
  /** What the gateway says of every contract that fits; at least one, `not-found` otherwise. */
  contracts(request: ContractsRequest, signal?: AbortSignal): Promise<ContractDetails[]>
  /** Contracts whose symbol or name begins so; none where there is none. */
  search(request: SearchRequest, signal?: AbortSignal): Promise<Match[]>
  /** The option chains of an underlying, one an exchange and trading class; none where it has no options. */
  chains(request: ChainsRequest, signal?: AbortSignal): Promise<Chain[]>
  /** One historical request, answered in full: never a part, never a failure dressed as no data. */
  bars(request: BarsRequest, signal?: AbortSignal): Promise<BarsAnswer>
  /** One page of ticks, whole seconds only; `done.next` says where the next begins. */
  ticks<R extends TicksRequest>(request: R, signal?: AbortSignal): Promise<TicksAnswer<R['whatToShow']>>
  /** Since when there is data of a kind, epoch seconds. `not-found` where IBKR knows no such instant. */
  head(request: HeadRequest, signal?: AbortSignal): Promise<number>
  /** IBKR's own schedule. */
  sessions(request: SessionsRequest, signal?: AbortSignal): Promise<SessionsAnswer>
  status(signal?: AbortSignal): Promise<RelayStatus>
}

export interface BarsAnswer {
  readonly bars: BarColumns
  readonly done: BarsDone
}

export interface TicksAnswer<W extends TicksRequest['whatToShow'] = TicksRequest['whatToShow']> {
  readonly ticks: ColumnsOf<W>
  readonly done: TicksDone
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
  const { origin, username, password } = new URL(url)
  if (username || password) {
    throw new TidegateError(
      'invalid',
      `The URL of the bridge at ${origin} holds a name or a password: a key is all it takes.`,
    )
  }

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
        `The bridge at ${origin} did not answer: check that it runs and that BRIDGE_URL, or BRIDGES, is right.`,
        { cause },
      )
    }
    if (!response.ok) throw await errorOf(response)
    return response
  }

  async function answer<S extends z.ZodType>(path: string, schema: S, body: unknown, signal?: AbortSignal) {
    return checked(schema, await bodyOf(await call(path, body, signal)))
  }

  return {
    async contracts(request, signal) {
      const { contracts } = await answer('/v1/contracts', contractsAnswerSchema, request, signal)
      return contracts as unknown as ContractDetails[]
    },
    search: async (request, signal) =>
      (await answer('/v1/contracts/search', searchAnswerSchema, request, signal)).matches,
    chains: async (request, signal) => (await answer('/v1/chains', chainsAnswerSchema, request, signal)).chains,
    async bars(request, signal) {
      const bars = emptyBars()
      const response = await call('/v1/bars', request, signal)
      const done = await readLines(response, {
        columns: barColumnsSchema,
        done: barsDoneSchema,
        take: (more) => appendBars(bars, more),
      })
      assertWhole('bars', done.bars, bars.t.length)
      return { bars, done }
    },
    async ticks<R extends TicksRequest>(request: R, signal?: AbortSignal) {
      const page = createPage<R['whatToShow']>(request.whatToShow)
      const response = await call('/v1/ticks', request, signal)
      const done = await readLines(response, { columns: page.schema, done: ticksDoneSchema, take: page.append })
      assertWhole('ticks', done.ticks, page.ticks.t.length)
      return { ticks: page.ticks, done }
    },
    head: async (request, signal) => (await answer('/v1/head', headAnswerSchema, request, signal)).head,
    sessions: (request, signal) => answer('/v1/sessions', sessionsAnswerSchema, request, signal),
    status: (signal) => answer('/v1/status', statusSchema, undefined, signal),
  }
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
