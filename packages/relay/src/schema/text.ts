import { z } from 'zod'

/** Text of at most `max` characters: a NUL or another control character would shift the fields of the gateway's protocol. */
export const plain = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/^\P{Cc}*$/u, 'expected no control characters')

/** The same, and not empty. */
export const text = (max: number) => plain(max).min(1)
