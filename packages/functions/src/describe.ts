/** A failed statement names itself with every parameter, which of a commit are megabytes: a log gets the beginning. */
const MOST_CHARACTERS = 2000
const MOST_CAUSES = 4

export interface ErrorDescription {
  readonly type: string
  readonly message: string
  readonly stack: string | undefined
  readonly kind?: unknown
  readonly code?: unknown
  readonly cause?: ErrorDescription
}

/** An error as a log holds it, with what caused it. */
export function describeError(error: unknown, causes = MOST_CAUSES): ErrorDescription {
  if (!(error instanceof Error)) return { type: typeof error, message: clip(String(error)), stack: undefined }
  const { kind, code } = error as { kind?: unknown; code?: unknown }
  return {
    type: error.name,
    message: clip(error.message),
    stack: error.stack === undefined ? undefined : clip(error.stack),
    kind,
    code,
    cause: error.cause === undefined || causes === 0 ? undefined : describeError(error.cause, causes - 1),
  }
}

function clip(text: string): string {
  return text.length <= MOST_CHARACTERS ? text : `${text.slice(0, MOST_CHARACTERS)}… (${text.length} characters)`
}
