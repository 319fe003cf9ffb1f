import Table from 'cli-table3'

const STYLE = { head: [], border: [], 'padding-left': 1, 'padding-right': 1, compact: true }
/** A cell's padding and its share of the lines around. */
const FRAME = 3
/** Where nobody says how wide the terminal is: sentences are still wrapped. */
const READABLE = 100
const NARROWEST = 12

export interface Column {
  readonly head: string
  readonly align?: 'left' | 'right'
  /** A shorter form of a cell, for a terminal that is too narrow. */
  readonly short?: (cell: string) => string
  /** The column can be left out on a terminal that is still too narrow: the smallest number first. */
  readonly spare?: number
  /** Spare only while all its cells are the same: what tells rows apart stays. */
  readonly ifSame?: boolean
}

type Rows = readonly (readonly (string | number)[])[]

/**
 * A table as text, without colour codes, a line break at its end. With a `width` no line is longer: cells are shortened,
 * spare columns left out, and what is still too long wrapped.
 */
export function tableOf(columns: readonly Column[], rows: Rows, width?: number): string {
  const cells = rows.map((row) => row.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en-US') : cell)))
  return draw(fitted({ columns, cells }, width), width)
}

/** Names and what they are, one a line, sentences wrapped. */
export function listOf(entries: readonly (readonly [name: string, value: string])[], width = READABLE): string {
  const first = Math.max(...entries.map(([name]) => name.length))
  const second = Math.max(NARROWEST, width - first - 2 * FRAME - 1)
  const table = new Table({ style: STYLE, ...wrapped(entries, second) })
  table.push(...entries.map((entry) => [...entry]))
  return `${table.toString()}\n`
}

function wrapped(entries: readonly (readonly [string, string])[], width: number) {
  const longest = Math.max(...entries.map(([, value]) => lengthOf(value)))
  return longest <= width ? {} : { colWidths: [null, width + FRAME - 1], wordWrap: true }
}

/** `2024-01-02 14:30` of an ISO instant in UTC; `–` where there is none. */
export function instantCell(iso: string | null | undefined): string {
  return iso ? iso.replace('T', ' ').replace(/(:00)?Z$/, '') : '–'
}

/** The same to the second, whichever it is: for what happened, as against what is planned or covered. */
export function momentCell(iso: string | null | undefined): string {
  return iso ? iso.replace('T', ' ').replace(/(\.\d+)?Z$/, '') : '–'
}

/** The dates alone of a cell made of instants. */
export function datesOnly(cell: string): string {
  return cell.replaceAll(/(\d{4}-\d\d-\d\d) \d\d:\d\d(:\d\d)?/g, '$1')
}

interface Grid {
  readonly columns: readonly Column[]
  readonly cells: readonly (readonly string[])[]
}

function fitted(grid: Grid, width = Number.POSITIVE_INFINITY): Grid {
  if (widthOf(grid) <= width) return grid
  let { columns, cells } = grid
  cells = cells.map((row) => row.map((cell, i) => columns[i]?.short?.(cell) ?? cell))
  for (;;) {
    const spare = columns.flatMap(({ spare, ifSame }, i) =>
      spare === undefined || (ifSame && new Set(cells.map((row) => row[i])).size > 1) ? [] : [spare],
    )
    if (spare.length === 0 || widthOf({ columns, cells }) <= width) return { columns, cells }
    const out = columns.findIndex((column) => column.spare === Math.min(...spare))
    columns = columns.filter((_, i) => i !== out)
    cells = cells.map((row) => row.filter((_, i) => i !== out))
  }
}

function draw(grid: Grid, width = Number.POSITIVE_INFINITY): string {
  const over = widthOf(grid) - width
  const sizes = widths(grid)
  const widest = sizes.indexOf(Math.max(...sizes))
  const narrowed = sizes.map((size, i) => (i === widest ? Math.max(NARROWEST, size - over) + FRAME - 1 : null))
  const table = new Table({
    head: grid.columns.map(({ head }) => head),
    colAligns: grid.columns.map(({ align = 'left' }) => align),
    style: STYLE,
    ...(over > 0 ? { colWidths: narrowed, wordWrap: true, wrapOnWordBoundary: false } : {}),
  })
  table.push(...grid.cells.map((row) => [...row]))
  return `${table.toString()}\n`
}

function widthOf(grid: Grid): number {
  return widths(grid).reduce((sum, size) => sum + size + FRAME, 1)
}

function widths({ columns, cells }: Grid): number[] {
  return columns.map(({ head }, i) => Math.max(head.length, ...cells.map((row) => lengthOf(row[i] ?? ''))))
}

/** Of the longest line of a cell. */
function lengthOf(cell: string): number {
  return Math.max(...cell.split('\n').map((line) => line.length))
}
