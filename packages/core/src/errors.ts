/** What went wrong, in the one word that decides what happens next. */
export type ErrorKind =
  | 'invalid'
  | 'unauthorized'
  | 'forbidden'
  | 'not-found'
  | 'no-permission'
  | 'login-required'
  | 'pacing'
  | 'busy'
  | 'competing-session'
  | 'farm-down'
  | 'disconnected'
  | 'timeout'
  | 'conflict'
  | 'database'
  | 'internal'

/** What a failure of a kind leads to: never again, once more much later, a person must act, later, or later but few times. */
export type Recovery = 'never' | 'once' | 'person' | 'later' | 'limited' | 'drop'

interface Policy {
  readonly status: number
  readonly recovery: Recovery
}

const POLICIES: Record<ErrorKind, Policy> = {
  invalid: { status: 400, recovery: 'never' },
  unauthorized: { status: 401, recovery: 'never' },
  forbidden: { status: 403, recovery: 'never' },
  'not-found': { status: 404, recovery: 'once' },
  'no-permission': { status: 409, recovery: 'person' },
  'login-required': { status: 409, recovery: 'person' },
  pacing: { status: 429, recovery: 'later' },
  busy: { status: 429, recovery: 'later' },
  'competing-session': { status: 503, recovery: 'later' },
  'farm-down': { status: 503, recovery: 'later' },
  disconnected: { status: 503, recovery: 'later' },
  timeout: { status: 504, recovery: 'later' },
  conflict: { status: 409, recovery: 'drop' },
  database: { status: 500, recovery: 'limited' },
  internal: { status: 500, recovery: 'limited' },
}

export const ERROR_KINDS = Object.keys(POLICIES) as readonly ErrorKind[]

export interface ErrorOptions {
  readonly cause?: unknown
  /** IBKR's own code, where the gateway said one. */
  readonly code?: number
  /** How long to wait before asking again makes sense, milliseconds. */
  readonly retryAfterMs?: number
}

/** The shape an error has on the wire, in the database and in API answers. */
export interface ErrorBody {
  readonly kind: ErrorKind
  readonly message: string
  readonly code?: number
  readonly retryAfterMs?: number
}

/** The one error of the project. Its message names the value, what was expected and what to do; its kind decides the rest. */
export class TidegateError extends Error {
  override readonly name = 'TidegateError'
  readonly kind: ErrorKind
  readonly code: number | undefined
  readonly retryAfterMs: number | undefined

  constructor(kind: ErrorKind, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.kind = kind
    this.code = options.code
    this.retryAfterMs = options.retryAfterMs
  }

  /** The HTTP status of this error. */
  get status(): number {
    return POLICIES[this.kind].status
  }

  toJSON(): ErrorBody {
    return { kind: this.kind, message: this.message, code: this.code, retryAfterMs: this.retryAfterMs }
  }
}

/** What a failure of this kind leads to. */
export function recoveryOf(kind: ErrorKind): Recovery {
  return POLICIES[kind].recovery
}

/** The error itself if it is ours, otherwise an `internal` one that keeps it as its cause. */
export function toTidegateError(error: unknown, kind: ErrorKind = 'internal'): TidegateError {
  if (error instanceof TidegateError) return error
  return new TidegateError(kind, error instanceof Error ? error.message : String(error), { cause: error })
}
