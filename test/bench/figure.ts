/** A number that was measured, and what it is held against. */
export interface Figure {
  readonly name: string
  readonly reached: number
  readonly atLeast?: number
  readonly atMost?: number
}

/** Whether the figure is what it has to be. */
export function holds({ reached, atLeast, atMost }: Figure): boolean {
  return (atLeast === undefined || reached >= atLeast) && (atMost === undefined || reached <= atMost)
}
