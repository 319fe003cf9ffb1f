import { TidegateError } from '@tidegate/core'
import type { Context } from 'hono'
import { z } from 'zod'

export interface CheckOptions {
  /** What is at fault. Default: the request. */
  readonly what?: string
  /** A field in the words of whoever wrote the value. Default: `specs.1`. */
  readonly fieldOf?: (path: readonly PropertyKey[]) => string
  /** Faults that were found by other means. */
  readonly faults?: readonly string[]
}

/** What the schema makes of a value. Throws `invalid`, naming every faulty field and what was expected of it, a line each. */
export function check<S extends z.ZodType>(schema: S, value: unknown, options: CheckOptions = {}): z.output<S> {
  const { what = 'The request', fieldOf = (path) => path.join('.'), faults: others = [] } = options
  const parsed = schema.safeParse(value)
  if (parsed.success && others.length === 0) return parsed.data
  const found = parsed.error?.issues.flatMap((issue) => faultsOf(issue, fieldOf)) ?? []
  const [first, ...more] = new Set([...found, ...others])
  const said = more.length === 0 ? `. ${first}.` : `:\n${[first, ...more].map((fault) => `- ${fault}`).join('\n')}`
  throw new TidegateError('invalid', `${what} is not as expected${said}`)
}

/** The checked JSON body of a request. Throws `invalid` for a body that is no JSON or not what the schema takes. */
export async function bodyOf<S extends z.ZodType>(c: Context, schema: S): Promise<z.output<S>> {
  let body: unknown
  try {
    body = await c.req.json()
  } catch (cause) {
    if (cause instanceof TidegateError) throw cause
    throw new TidegateError('invalid', 'The body is no JSON.', { cause })
  }
  return check(schema, body)
}

/** A text that `parse` takes; what it throws becomes the field's fault, beside the faults of other fields. */
export function parsed<T>(parse: (text: string) => T) {
  return (text: string, context: z.RefinementCtx): T => {
    try {
      return parse(text)
    } catch (error) {
      if (!(error instanceof TidegateError)) throw error
      context.addIssue({ code: 'custom', message: error.message })
      return z.NEVER
    }
  }
}

function faultsOf(issue: z.core.$ZodIssue, fieldOf: NonNullable<CheckOptions['fieldOf']>): string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${fieldOf([...issue.path, key])}: there is no such field`)
  }
  const field = issue.path.length === 0 ? '' : `${fieldOf(issue.path)}: `
  return [`${field}${issue.message.replace(/\.$/, '')}`]
}
