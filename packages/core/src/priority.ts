/** Whose requests go first at the gateway: `interactive` before `scheduled`, and that before `backfill`. */
export const PRIORITIES = ['interactive', 'scheduled', 'backfill'] as const
export type Priority = (typeof PRIORITIES)[number]
