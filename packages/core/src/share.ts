/** What of a series is had, of what is due and may be had: in sessions, and in days where no sessions are known. */
export interface Share {
  readonly had: number
  readonly due: number
}

/** Something is missing, be it less than can be seen in a thousand parts. */
const NOT_ALL = 0.999

/** The share of all of them together, 0 to 1, and 1 only where there are no gaps; undefined where nothing is due that may be had. */
export function shareOf(parts: readonly { readonly share: Share; readonly gaps: number }[]): number | undefined {
  const due = parts.reduce((sum, { share }) => sum + share.due, 0)
  if (parts.every(({ gaps }) => gaps === 0)) return due > 0 ? 1 : undefined
  const had = parts.reduce((sum, { share }) => sum + share.had, 0)
  return due > 0 ? Math.min(had / due, NOT_ALL) : 0
}
