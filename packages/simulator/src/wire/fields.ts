import type { ContractQuery } from '../market/types.ts'

/** A field that cannot be read as what its place demands. TWS answers error 320. */
export class FieldError extends Error {
  override readonly name = 'FieldError'
}

/** Clients of IBKR's own making send this for a double that is not set. */
const UNSET_DOUBLE = Number.MAX_VALUE
const UNSET_INTEGER = 2 ** 31 - 1

/** Reads a message's fields in order. Absent values come as '', `0` or `0.0`; fields past the end are absent. */
export class FieldReader {
  readonly #fields: readonly string[]
  #next: number
  #requestId = -1

  constructor(fields: readonly string[], from = 0) {
    this.#fields = fields
    this.#next = from
  }

  /** The id read by `reqId`, −1 before: where an error about this message belongs. */
  get requestId(): number {
    return this.#requestId
  }

  reqId(): number {
    this.#requestId = this.integer()
    return this.#requestId
  }

  text(): string {
    return this.#fields[this.#next++] ?? ''
  }

  integer(): number {
    const value = this.number()
    if (!Number.isInteger(value)) throw new FieldError(unparsable(String(value)))
    return value === UNSET_INTEGER ? 0 : value
  }

  number(): number {
    const text = this.text().trim()
    if (text === '') return 0
    const value = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : Number.NaN
    if (!Number.isFinite(value)) throw new FieldError(unparsable(text))
    return value === UNSET_DOUBLE ? 0 : value
  }

  flag(): boolean {
    const text = this.text().trim().toLowerCase()
    return text !== '' && text !== 'false' && Number(text) !== 0
  }

  skip(count: number): void {
    this.#next += count
  }

  /** The twelve contract fields, and includeExpired where the message has it. */
  contract(withIncludeExpired = true): ContractQuery {
    return {
      conId: this.integer(),
      symbol: this.text().trim(),
      secType: this.text().trim().toUpperCase(),
      lastTradeDateOrContractMonth: this.text().trim(),
      strike: this.number(),
      right: this.#right(),
      multiplier: this.#unlessZero(),
      exchange: this.text().trim().toUpperCase(),
      primaryExchange: this.text().trim().toUpperCase(),
      currency: this.text().trim().toUpperCase(),
      localSymbol: this.text().trim(),
      tradingClass: this.text().trim(),
      includeExpired: withIncludeExpired && this.flag(),
    }
  }

  #right(): string {
    const text = this.text().trim().toUpperCase()
    if (text === 'CALL' || text === 'PUT') return text.slice(0, 1)
    return text === '0' || text === '?' ? '' : text
  }

  #unlessZero(): string {
    const text = this.text().trim()
    return Number(text) === 0 ? '' : text
  }
}

/** TWS runs on Java, and says so. */
function unparsable(text: string): string {
  return `Unable to parse data. java.lang.NumberFormatException: For input string: "${text}"`
}
