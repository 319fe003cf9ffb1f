import path from 'node:path'
import type { History } from '../history.ts'
import type { Product } from '../listings/product.ts'
import { isOffered } from '../offers.ts'
import type { PriceKind, Replay } from '../types.ts'
import { checkGrid } from './grid.ts'
import { createReplayHistory } from './history.ts'
import { findInstrument } from './instrument.ts'
import { lengthOf, midOf, type ReplayKind, rowsOf, type Series, sizeOf, spreadOf } from './series.ts'
import { readTable } from './table.ts'

/** What a file gave to the market. `[fromSec, toSec)` from its first bar's start to its last one's end, epoch seconds. */
export interface Replayed {
  readonly instrument: string
  readonly whatToShow: ReplayKind
  readonly rows: number
  readonly fromSec: number
  readonly toSec: number
}

/** A file read and understood. */
export interface Recording {
  readonly replayed: Replayed
  readonly path: string
  readonly product: Product
  readonly series: Series
  readonly decimals: number
}

/** Reads every file; rejects with the first fault: an unknown instrument, a malformed file, rows off their grid, a kind the product does not have. */
export function loadReplays(replays: readonly Replay[], products: readonly Product[]): Promise<Recording[]> {
  return Promise.all(replays.map((replay) => load(replay, products)))
}

async function load({ instrument, path: file, whatToShow }: Replay, products: readonly Product[]): Promise<Recording> {
  const table = await readTable(file)
  const series = { barSize: sizeOf(file, table), rows: rowsOf(table), averages: false }
  const fromSec = table.timeSec[0] ?? 0
  const lastSec = table.timeSec.at(-1) ?? 0
  const product = findInstrument(products, instrument, lastSec)
  checkGrid(file, table, series.barSize, product)
  const kind = whatToShow ?? kindOf(file)
  if (!isOffered(product.listing, kind)) {
    throw new Error(
      `${file}: ${instrument} has no ${kind} at IBKR; say which kind the file holds: bid, ask or mid in its name, or whatToShow.`,
    )
  }
  const toSec = lastSec + lengthOf(series)
  const replayed = { instrument, whatToShow: kind, rows: series.rows.length, fromSec, toSec }
  return { replayed, path: file, product, series, decimals: table.decimals }
}

/** The kind a file's name tells: the word bid, ask or mid between other signs than letters; TRADES where none is. */
function kindOf(file: string): ReplayKind {
  const words = path
    .basename(file)
    .toLowerCase()
    .split(/[^a-z]+/)
  const kinds = [
    words.includes('bid') && 'BID',
    words.includes('ask') && 'ASK',
    (words.includes('mid') || words.includes('midpoint')) && 'MIDPOINT',
  ] as const
  const named = kinds.filter((kind) => kind !== false)
  const [kind = 'TRADES', second] = named
  if (second) throw new Error(`${file}: the name says ${named.join(' and ')}; say which one with whatToShow.`)
  return kind
}

/** The histories that stand in for generated ones, a listing each. Throws where two files have the same time of one kind. */
export function historiesOf(recordings: readonly Recording[]): History[] {
  const byProduct = Map.groupBy(recordings, ({ product }) => product)
  return [...byProduct].map(([product, own]) => createReplayHistory(product, kindsOf(own)))
}

function kindsOf(recordings: readonly Recording[]): Map<PriceKind, Series> {
  const kinds = new Map<PriceKind, Series>()
  for (const [kind, own] of Map.groupBy(recordings, ({ replayed }) => replayed.whatToShow)) kinds.set(kind, join(own))
  const decimals = Math.max(...recordings.map((one) => one.decimals))
  const bid = kinds.get('BID')
  const ask = kinds.get('ASK')
  if (!bid || !ask || bid.barSize !== ask.barSize) return kinds
  if (!kinds.has('MIDPOINT')) kinds.set('MIDPOINT', midOf(bid, ask, decimals))
  return kinds.set('BID_ASK', spreadOf(bid, ask, decimals))
}

/** Several files of one kind are one series, each a part of it in time. */
function join(recordings: readonly Recording[]): Series {
  const [first, ...others] = recordings.toSorted((a, b) => a.replayed.fromSec - b.replayed.fromSec)
  if (!first) throw new Error('No file to join.')
  let before = first
  for (const next of others) {
    if (next.series.barSize !== first.series.barSize) {
      throw new Error(
        `${next.path} has bars of ${next.series.barSize}, ${first.path} of ${first.series.barSize}; one size is needed.`,
      )
    }
    if (next.replayed.fromSec < before.replayed.toSec) {
      throw new Error(
        `${next.path} and ${before.path} overlap in time, both ${next.replayed.whatToShow} of ${next.replayed.instrument}.`,
      )
    }
    before = next
  }
  return { ...first.series, rows: [first, ...others].flatMap(({ series }) => series.rows) }
}
