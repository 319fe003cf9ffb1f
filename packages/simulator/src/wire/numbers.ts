/** Numbers as text that parses back to the identical double. */

/** The shortest exact decimal text, never in exponent notation: TWS clients do not all read one. */
export function decimal(value: number): string {
  const text = String(value)
  return text.includes('e') ? expand(text) : text
}

/** A price; with `twoPlaces`, at least two decimals as gateways print stocks: `254.20`, `254.00`. */
export function price(value: number, twoPlaces: boolean): string {
  const text = decimal(value)
  if (!twoPlaces) return text
  const dot = text.indexOf('.')
  if (dot < 0) return `${text}.00`
  return dot === text.length - 2 ? `${text}0` : text
}

/** `1.5e-7` → `0.00000015`: the same digits, the point moved. */
function expand(text: string): string {
  const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text)
  if (!match) return text
  const [, sign = '', lead = '', rest = '', exponent = '0'] = match
  const digits = lead + rest
  const point = 1 + Number(exponent)
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  return digits.length <= point
    ? `${sign}${digits}${'0'.repeat(point - digits.length)}`
    : `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
}
