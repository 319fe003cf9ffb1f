/** No error shows more of what a file holds. */
const MAX_SHOWN = 60

/** Text of a file for a person to see, on one line: quoted, what does not print escaped, cut where it is long. */
export function quoted(text: string): string {
  const shown = text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text
  return `"${shown.replace(/["\\]|[^\p{L}\p{N}\p{P}\p{S} ]/gu, escaped)}"`
}

function escaped(sign: string): string {
  if (sign === '"' || sign === '\\') return `\\${sign}`
  return `\\u{${(sign.codePointAt(0) ?? 0).toString(16)}}`
}
