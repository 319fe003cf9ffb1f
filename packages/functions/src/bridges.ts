import { createRelay, createRelays, MARKET_PATTERN, type Relay } from '@tidegate/relay'
import { z } from 'zod'

/** Where a bridge answers, the key it takes, and what it may be asked for. */
export interface BridgeAddress {
  readonly name: string
  readonly url: string
  readonly key: string
  /** `NASDAQ`, `CASH:*`, `STK:NYSE`; undefined: everything. */
  readonly markets?: readonly string[]
}

/** The one bridge of BRIDGE_URL and BRIDGE_KEY. */
export const ONLY = 'bridge'
const MOST_BRIDGES = 32
const MOST_MARKETS = 500
const EXPECTED = 'expected a JSON list such as [{"name": "one", "url": "http://127.0.0.1:8787", "key": "…"}]'

/** The text of BRIDGES, whose faults never show a value: there are keys in it. */
export const bridgesSchema = (url: z.ZodType<string>, key: z.ZodType<string>) =>
  z
    .string({ error: EXPECTED })
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text)
      } catch {
        // What is wrong with the text would show a part of it.
        context.addIssue({ code: 'custom', message: EXPECTED })
        return z.NEVER
      }
    })
    .pipe(
      z
        .array(
          z.strictObject({
            name: z.string('expected a name').regex(/^[\w-]{1,32}$/, 'expected a name of letters, digits, _ and -'),
            url,
            key,
            markets: z
              .array(z.string().regex(MARKET_PATTERN, 'expected markets such as "NASDAQ", "CASH:*" or "STK:NYSE"'))
              .min(1, 'expected a market at least, or no list at all')
              .max(MOST_MARKETS)
              .optional(),
          }),
          EXPECTED,
        )
        .max(MOST_BRIDGES)
        .superRefine((bridges, context) => {
          for (const [i, { name }] of bridges.entries()) {
            if (bridges.findIndex((other) => other.name === name) === i) continue
            context.addIssue({
              code: 'custom',
              path: [i, 'name'],
              message: `expected names that differ: "${name}" is there twice`,
            })
          }
        }),
    )

/** The relay over the bridges of the settings. Throws `invalid` for an address that holds a name or a password. */
export function openRelays(bridges: readonly BridgeAddress[], now: () => number): Relay {
  const [first, ...others] = bridges
  if (first && others.length === 0 && !first.markets) return createRelay(first)
  return createRelays(
    bridges.map(({ name, markets, ...address }) => ({ name, markets, relay: createRelay(address) })),
    { now },
  )
}
