import { TidegateError } from '@tidegate/core'
import type { Context } from 'hono'
import { z } from 'zod'

/** What the schema makes of a value. Throws `invalid`, naming every faulty field and what was expected of it; `what` is at fault. */
export function check<S extends z.ZodType>(schema: S, value: unknown, what = 'The request'): z.output<S> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.flatMap(faultsOf)
  throw new TidegateError('invalid', `${what} is not as expected. ${[...new Set(faults)].join('; ')}.`)
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

function faultsOf(issue: z.core.$ZodIssue): string[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => `${key}: there is no such field`)
  const field = issue.path.length === 0 ? '' : `${issue.path.join('.')}: `
  return [`${field}${issue.message.replace(/\.$/, '')}`]
}
