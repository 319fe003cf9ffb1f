const [ZERO, NINE, MINUS, POINT] = Buffer.from('09-.') as unknown as [number, number, number, number]
/** Every whole number of so many digits is a double as it stands; so is every power of ten by which it may be divided. */
const MOST_DIGITS = 15
const POWERS_OF_TEN = Array.from({ length: MOST_DIGITS + 1 }, (_, decimals) => 10 ** decimals)

/** A field was asked for behind the last. */
export class NoMoreFields extends Error {
  override name = 'NoMoreFields'
}

/**
 * Reads the fields of a message, each ending in NUL, one after the other. Numbers are read from the bytes as they are: a text
 * for each of a reply's hundred thousands costs more than all else that is done with them.
 */
export class FieldReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  /** Throws NoMoreFields behind the last. */
  text(): string {
    const end = this.#bytes.indexOf(0, this.#at)
    if (end < 0) throw new NoMoreFields('The message has no more fields.')
    const text = this.#bytes.toString('latin1', this.#at, end)
    this.#at = end + 1
    return text
  }

  /** The next field where it is so many digits and nothing else; NaN, and nothing is taken, where it is not. `most`: 15 at most. */
  digits({ least, most }: { readonly least: number; readonly most: number }): number {
    const bytes = this.#bytes
    let at = this.#at
    let value = 0
    for (let byte = bytes[at]; isDigit(byte); byte = bytes[++at]) value = value * 10 + (byte - ZERO)
    const count = at - this.#at
    if (bytes[at] !== 0 || count < least || count > most) return Number.NaN
    this.#at = at + 1
    return value
  }

  /**
   * The next field where it is a number such as −12.50, the very double that JavaScript reads in its text; NaN, and nothing is
   * taken, where it is anything else, or has too many digits for that.
   */
  decimal(): number {
    const bytes = this.#bytes
    const isNegative = bytes[this.#at] === MINUS
    const first = this.#at + (isNegative ? 1 : 0)
    let at = first
    let value = 0
    for (let byte = bytes[at]; isDigit(byte); byte = bytes[++at]) value = value * 10 + (byte - ZERO)
    let digits = at - first
    let decimals = 0
    if (digits > 0 && bytes[at] === POINT) {
      const point = at++
      for (let byte = bytes[at]; isDigit(byte); byte = bytes[++at]) value = value * 10 + (byte - ZERO)
      decimals = at - point - 1
      digits += decimals
      if (decimals === 0) return Number.NaN
    }
    if (bytes[at] !== 0 || digits === 0 || digits > MOST_DIGITS) return Number.NaN
    this.#at = at + 1
    return (isNegative ? -value : value) / (POWERS_OF_TEN[decimals] ?? Number.NaN)
  }
}

function isDigit(byte: number | undefined): byte is number {
  return byte !== undefined && byte >= ZERO && byte <= NINE
}
