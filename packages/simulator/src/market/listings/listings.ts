import { ruleIdOf } from '../rules.ts'
import { bonds } from './bonds.ts'
import { futures } from './futures.ts'
import { indices } from './indices.ts'
import { otc, stockCfds } from './otc.ts'
import { coins, pairs } from './pairs.ts'
import type { Product } from './product.ts'
import { stocks } from './stocks.ts'

/** Everything the market lists, in a fixed order. */
export function allProducts(): Product[] {
  return [...stocks(), ...pairs(), ...indices(), ...coins(), ...otc(), ...stockCfds(), ...bonds(), ...futures()].map(
    withRule,
  )
}

function withRule(product: Product): Product {
  const marketRuleId = ruleIdOf(product.listing.minTick)
  return marketRuleId === undefined ? product : { ...product, listing: { ...product.listing, marketRuleId } }
}
