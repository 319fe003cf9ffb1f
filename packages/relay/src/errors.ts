import { type ErrorKind, TidegateError } from '@tidegate/core'
import type { z } from 'zod'
import { errorBodySchema } from './schema/index.ts'

/** What a status says where no bridge of ours answered, but something between us and it. */
const KIND_OF_STATUS: Readonly<Record<number, ErrorKind>> = {
  401: 'unauthorized',
  403: 'forbidden',
  429: 'busy',
  502: 'disconnected',
  503: 'disconnected',
  504: 'timeout',
}

/** What a response that is no success says. */
export async function errorOf(response: Response): Promise<TidegateError> {
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

/** An error of the bridge, as it stands in a body, a line or a frame. */
export function errorFrom(body: unknown): TidegateError {
  const parsed = errorBodySchema.safeParse(body)
  if (!parsed.success)
    return new TidegateError('internal', 'The bridge answered with an error of an unknown shape.', {
      cause: parsed.error,
    })
  const { kind, message, code, retryAfterMs } = parsed.data
  return new TidegateError(kind as ErrorKind, message, { code, retryAfterMs })
}

/** Reads JSON. Throws `internal` for anything else. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new TidegateError('internal', `The bridge sent what is no JSON: ${text.slice(0, 200)}`, { cause })
  }
}

/** What the bridge said, as this version knows it. Throws `internal` for anything else. */
export function checked<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const where = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')
  throw new TidegateError(
    'internal',
    `The bridge answered otherwise than expected (${where}): do it and this side have the same version?`,
    { cause: parsed.error },
  )
}

export function brokenOff(cause?: unknown): TidegateError {
  return new TidegateError('disconnected', 'The reply of the bridge broke off before its end: asking again is safe.', {
    cause,
  })
}
