/** Randomness that is a pure function of its inputs, so that any minute of the market can be computed alone. */

/** A 32-bit hash of a text (FNV-1a). */
export function hashText(text: string): number {
  let hash = 2166136261
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16777619)
  return mix(hash)
}

/** A 32-bit hash of two integers. */
export function hash(seed: number, n: number): number {
  return mix(Math.imul(seed ^ (n | 0), 0x9e3779b1) ^ Math.imul(Math.floor(n / 0x1_0000_0000) + 0x7f4a7c15, 0x85ebca6b))
}

/** A 32-bit hash of two 32-bit integers, for loops where time counts. */
export function hashSmall(seed: number, n: number): number {
  return mix(seed ^ Math.imul(n + 1, 0x9e3779b1))
}

/** In [0, 1). */
export function unit(seed: number, n: number): number {
  return hash(seed, n) / 0x1_0000_0000
}

function mix(value: number): number {
  let h = value
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
