import { z } from 'zod'

/** 9999-12-31 23:59:59 UTC: no later date fits the gateway's eight digits. */
const LAST_SECOND = 253_402_300_799
const INSTANT = 'expected whole epoch seconds (UTC), not before 1970 and not after 9999'

/** Epoch seconds UTC that the gateway can be asked about. */
export const instantSchema = z
  .int(INSTANT)
  .nonnegative(INSTANT)
  .max(LAST_SECOND, `${INSTANT}: is this in milliseconds?`)

/** IBKR's duration string, counted in trading time: `1800 S`, `6 D`, `2 W`, `3 M`, `1 Y`. */
export const durationSchema = z
  .string()
  .regex(/^[1-9]\d{0,4} [SDWMY]$/, 'expected a count and a unit of S, D, W, M or Y, such as "6 D"')
