const YEAR_SEC = 365.25 * 86_400

/**
 * What an option is worth without interest (Black and Scholes 1973), in the underlying's currency; after its expiry,
 * what it ended with.
 */
export function worth(right: string, strike: number, price: number, volatility: number, leftSec: number): number {
  const inner = right === 'C' ? price - strike : strike - price
  if (leftSec <= 0) return Math.max(inner, 0)
  const spread = volatility * Math.sqrt(leftSec / YEAR_SEC)
  const d1 = Math.log(price / strike) / spread + spread / 2
  const call = price * normal(d1) - strike * normal(d1 - spread)
  return Math.max(right === 'C' ? call : call - price + strike, inner, 0)
}

/** The normal distribution (Abramowitz and Stegun 26.2.17), to seven digits. */
function normal(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x))
  const tail =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429)))) * density(x)
  return x >= 0 ? 1 - tail : tail
}

const density = (x: number): number => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)
