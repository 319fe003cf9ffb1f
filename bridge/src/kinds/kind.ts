import { TidegateError } from '@tidegate/core'
import type { z } from 'zod'
import type { Connection } from '../connection.ts'
import type { RuledRequest } from '../pacing/rules.ts'
import type { PacedJob } from '../pacing.ts'
import type { Need } from '../readiness.ts'
import { identityOf } from './rule.ts'

/** An answer on its way to whoever asked. Kinds that answer in lines have chunks; of the others, `done` is the whole. */
export interface Answer {
  /** What the reply begins with, beside who asked. */
  readonly head?: object
  /** Columns, made as the reader takes them. */
  chunks?(): Iterable<object>
  readonly done: object
  /** What it weighs while it is kept to be shared: bars, ticks, or 1. */
  readonly size: number
  /** IBKR's own "no data". */
  readonly empty?: boolean
  /** For the log. */
  readonly told: object
}

/** A request that was found to be as expected, and may be asked. */
export interface Prepared {
  /** Canonical text: two requests that IBKR would call identical have the same. */
  readonly identity: string
  /** Whether an answer that was asked for before will not do. */
  readonly isFresh: boolean
  readonly job: Omit<PacedJob, 'signal'>
  /** For the log. */
  readonly told: object
  /** Sends it at once. */
  ask(connection: Connection, signal: AbortSignal): Promise<Answer>
}

/** One kind of request, whichever way it comes in. */
export interface Kind {
  readonly name: string
  readonly path: string
  readonly need: Need
  /** Whether the answer goes out as lines rather than in one body. */
  readonly inLines: boolean
  /** Throws `invalid`, naming every fault, where a body is not such a request. */
  prepare(body: unknown): Prepared
}

type Patient = Pick<PacedJob, 'priority' | 'waitMs' | 'caller'> & { readonly fresh?: boolean }

/** Makes a kind of the parts that differ: its schema, what the rules look at, and how it is asked and answered. */
export function defineKind<S extends z.ZodType<Patient>>(
  parts: Pick<Kind, 'name' | 'path' | 'need'> & {
    readonly inLines?: boolean
    readonly schema: S
    rule?(request: Omit<z.output<S>, keyof Patient>): Omit<RuledRequest, 'identity'>
    ask(connection: Connection, request: Omit<z.output<S>, keyof Patient>, signal: AbortSignal): Promise<Answer>
  },
): Kind {
  const { name, path, need, inLines = false, schema } = parts
  return {
    name,
    path,
    need,
    inLines,
    prepare(body) {
      const { priority, waitMs, caller, fresh = false, ...request } = checkedBody(schema, body)
      const identity = JSON.stringify([name, request])
      const rule = parts.rule?.(request)
      return {
        identity,
        isFresh: fresh,
        job: { priority, waitMs, caller, rule: rule && { ...rule, identity: identityOf(name, request) } },
        told: request,
        async ask(connection, signal) {
          const answer = await parts.ask(connection, request, signal)
          return { ...answer, done: { ...answer.done, simulated: connection.simulated } }
        },
      }
    },
  }
}

/** What came, if it is as the schema has it. Throws `invalid`, naming every fault. */
export function checkedBody<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the body'}: ${issue.message}`)
  throw new TidegateError('invalid', `The request is not as expected: ${faults.join('; ')}.`)
}
