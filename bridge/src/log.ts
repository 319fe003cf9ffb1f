import { maskedText } from './account.ts'

/**
 * Where the bridge tells what it does: pino's interface, as far as it is used. An error comes as `err`, described already:
 * pino's own serializer must leave it as it is.
 */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** A log that no account number gets into, whatever text it comes in: it masks what goes to `log`. */
export function createMaskedLog(log: Log): Log {
  return {
    debug: (fields, message) => log.debug(maskedFields(fields), maskedText(message)),
    info: (fields, message) => log.info(maskedFields(fields), maskedText(message)),
    warn: (fields, message) => log.warn(maskedFields(fields), maskedText(message)),
    error: (fields, message) => log.error(maskedFields(fields), maskedText(message)),
  }
}

function maskedFields(fields: object): object {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, maskedValue(value)]))
}

function maskedValue(value: unknown): unknown {
  if (typeof value === 'string') return maskedText(value)
  if (value instanceof Error) return errorFields(value)
  if (Array.isArray(value)) return value.map(maskedValue)
  return typeof value === 'object' && value !== null ? maskedFields(value) : value
}

/** What of an error helps whoever reads the log: its cause too, which is where a wrapped one began. */
function errorFields(error: Error): object {
  const { name, message, stack, cause } = error
  const own = maskedFields({ ...error, cause: undefined })
  return {
    ...own,
    type: name,
    message: maskedText(message),
    stack: maskedText(stack ?? ''),
    ...(cause === undefined ? {} : { cause: maskedValue(cause) }),
  }
}
