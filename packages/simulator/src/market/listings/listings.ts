import { futures } from './futures.ts'
import { indices } from './indices.ts'
import { otc } from './otc.ts'
import { coins, pairs } from './pairs.ts'
import type { Product } from './product.ts'
import { stocks } from './stocks.ts'

/** Everything the market lists, in a fixed order. */
export function allProducts(): Product[] {
  return [...stocks(), ...pairs(), ...indices(), ...coins(), ...otc(), ...futures()]
}
