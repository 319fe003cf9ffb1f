import Table from 'cli-table3'

const PLAIN = { head: [], border: [], 'padding-left': 1, 'padding-right': 1 }

export interface Column {
  readonly head: string
  readonly align?: 'left' | 'right'
}

/** A table as text, without colour codes, a line break at its end. */
export function tableOf(columns: readonly Column[], rows: readonly (readonly (string | number)[])[]): string {
  const table = new Table({
    head: columns.map(({ head }) => head),
    colAligns: columns.map(({ align = 'left' }) => align),
    style: PLAIN,
  })
  for (const row of rows)
    table.push(row.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en-US') : cell)))
  return `${table.toString()}\n`
}

/** Names and what they are, one a line. */
export function listOf(entries: readonly (readonly [name: string, value: string])[]): string {
  const table = new Table({ style: PLAIN })
  table.push(...entries.map((entry) => [...entry]))
  return `${table.toString()}\n`
}

/** `2024-01-02 14:30` of an ISO instant in UTC; `–` where there is none. */
export function instantCell(iso: string | null | undefined): string {
  return iso ? iso.replace('T', ' ').replace(/(:00)?Z$/, '') : '–'
}
