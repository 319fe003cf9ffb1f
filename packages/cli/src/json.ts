import { Option } from 'commander'

/** The flag of what prints an answer of the HTTP interface, for programs to read. */
export function jsonOption(): Option {
  return new Option('--json', 'as the HTTP interface answers it')
}

/** An answer as it is, indented. */
export function jsonText(answer: object): string {
  return `${JSON.stringify(answer, undefined, 2)}\n`
}
