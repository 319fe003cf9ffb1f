import { bars } from './bars.ts'
import type { Kind } from './kind.ts'
import { chains, contracts, search } from './lookups.ts'
import { head, sessions } from './spans.ts'
import { ticks } from './ticks.ts'

/** Every kind of request that ends in one answer. */
export const KINDS: readonly Kind[] = [contracts, search, chains, bars, ticks, head, sessions]
