import { TidegateError } from '@tidegate/core'
import type { z } from 'zod'
import { brokenOff, checked, errorFrom, parsedJson } from './errors.ts'

/** Columns of one length, by name. */
type Columns = Readonly<Record<string, readonly unknown[]>>

/**
 * Reads a reply of lines to its `done`, giving each line of columns to `take`. Throws the error that a line says, and
 * `disconnected` where there is no `done`: the answer is then not whole, and that is a failure.
 */
export async function readLines<C extends z.ZodType<Columns>, D extends z.ZodType>(
  response: Response,
  { columns, done, take }: { columns: C; done: D; take: (columns: z.output<C>) => void },
): Promise<z.output<D>> {
  for await (const line of linesOf(response)) {
    if ('done' in line) return checked(done, line.done)
    if ('error' in line) throw errorFrom(line.error)
    if ('t' in line) take(checkedColumns(columns, line))
  }
  throw brokenOff()
}

/** Throws `disconnected` unless as many came as were announced. */
export function assertWhole(what: string, announced: number, came: number): void {
  if (announced === came) return
  throw new TidegateError(
    'disconnected',
    `The bridge announced ${announced} ${what} and sent ${came}: asking again is safe.`,
  )
}

/** Columns as the schema has them, all of one length. Throws `internal` for anything else. */
export function checkedColumns<C extends z.ZodType<Columns>>(schema: C, line: unknown): z.output<C> {
  const columns = checked(schema, line)
  const [first, ...rest] = Object.values(columns)
  if (rest.some((column) => column.length !== first?.length)) {
    throw new TidegateError('internal', 'The bridge sent columns of different lengths.')
  }
  return columns
}

/** The objects of a newline-delimited reply. A last line without its end is not whole, and is left out. */
async function* linesOf(response: Response): AsyncGenerator<object> {
  if (!response.body) return
  const texts = response.body.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]()
  let rest = ''
  try {
    for (;;) {
      const { value, done } = await texts.next().catch((cause: unknown) => {
        throw brokenOff(cause)
      })
      if (done) return
      const lines = (rest + value).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (line) yield objectOf(line)
    }
  } finally {
    // Whoever stops reading before the end hangs up.
    await texts.return?.().catch(() => {})
  }
}

function objectOf(line: string): object {
  const value = parsedJson(line)
  if (typeof value === 'object' && value !== null) return value
  throw new TidegateError('internal', `The bridge sent a line that is no object: ${line.slice(0, 200)}`)
}
