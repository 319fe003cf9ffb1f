import { refused } from './encode.ts'

/** A request turned down, with the code and text TWS gives. Thrown while a request is judged, answered once. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: number

  constructor(code: number, text: string) {
    super(text)
    this.code = code
  }
}

/** Error 321, the validator's. */
export const invalid = (cause: string): Refusal => new Refusal(321, refused(cause))

export const NOT_FOUND = 'No security definition has been found for the request'
