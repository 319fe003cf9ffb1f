import type { Halt } from '../halts.ts'
import { hash, hashSmall } from '../noise.ts'
import { countOf, MIDDLE, progress, volumeOf } from '../tally/block.ts'
import { blockOf } from '../tally/trades.ts'
import { BLOCK_SEC, type Tape } from '../tape.ts'
import type { Listing, TradeTick } from '../types.ts'

/** One block in so many has a trade that is reported late. */
const LATE_RARITY = 8
/** Fewer shares than these are an odd lot. */
const ROUND_LOT = 100

export interface TradesOf {
  readonly listing: Listing
  readonly seed: number
  readonly ticksPerUnit: number
  /** Whether the segment lies in regular hours. */
  readonly regular: boolean
  readonly halt: Halt | undefined
}

/** Adds the trades of a tape in whole seconds `[fromSec, toSec)`: the same volumes, prices and counts that its bars are made of. */
export function addTrades(to: TradeTick[], tape: Tape, fromSec: number, toSec: number, of: TradesOf): void {
  const { halt, ticksPerUnit } = of
  const own = hash(of.seed ^ 0x7469636b, tape.startSec)
  const venues = of.listing.validExchanges.filter((exchange) => exchange !== 'SMART')
  const stocks = of.listing.secType === 'STK'
  const first = Math.max(fromSec, tape.startSec) - tape.startSec
  const last = Math.min(toSec - tape.startSec, tape.blocks * BLOCK_SEC)

  function add(timeSec: number, ticks: number, size: number, dice: number, unreported = false): void {
    to.push({
      timeSec,
      price: ticks / ticksPerUnit,
      size,
      pastLimit: false,
      unreported,
      exchange: venues[dice % venues.length] ?? '',
      conditions: stocks ? conditionsOf(size, dice, of.regular, unreported) : '',
    })
  }

  for (let at = first; at < last; at++) {
    const timeSec = tape.startSec + at
    if (halt && (timeSec === halt.startSec || timeSec === halt.endSec)) to.push(halted(timeSec, venues[0] ?? ''))
    const block = Math.floor(at / BLOCK_SEC)
    const j = at % BLOCK_SEC
    const { first: begin, way, traded } = blockOf(tape, block)
    const size = traded === 0 ? 0 : volumeOf(traded, block, j)
    if (size === 0) continue
    const price = begin + progress(way, j)
    const dice = hashSmall(own, at)
    const count = countOf(traded, block, j, way)
    if (j === MIDDLE && count === 2) {
      add(timeSec, price, size - (size >> 1), dice)
      add(timeSec, begin + way - progress(way, j), size >> 1, dice >>> 7)
    } else {
      let left = size
      for (let i = 1; i <= count; i++) {
        // Each trade of what is left has between nothing more than one share and twice its part.
        const rest = count - i
        const part =
          rest === 0 ? left : 1 + (hashSmall(dice, i) % Math.max(Math.floor((2 * (left - rest)) / (rest + 1)), 1))
        const own = Math.min(part, left - rest)
        add(timeSec, price, own, hashSmall(dice, -i))
        left -= own
      }
    }
    if (stocks && j === 1 && hashSmall(dice, 0) % LATE_RARITY === 0) add(timeSec, price, 1 + (dice % 50), dice, true)
  }
}

/** What says that trading stops, and the next time that it goes on. */
const halted = (timeSec: number, exchange: string): TradeTick => ({
  timeSec,
  price: 0,
  size: 0,
  pastLimit: true,
  unreported: false,
  exchange,
  conditions: '',
})

/** Sale conditions in the four places of the US tape: T extended hours, F intermarket sweep, I odd lot, W average price. */
function conditionsOf(size: number, dice: number, regular: boolean, unreported: boolean): string {
  if (unreported) return '   W'
  const sweep = dice % 5 === 0 ? 'F' : ' '
  const text = ` ${sweep}${regular ? ' ' : 'T'}${size < ROUND_LOT ? 'I' : ' '}`
  return text.trimEnd()
}
