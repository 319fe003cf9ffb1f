import { frame } from './frames.ts'

/** Server versions at which a message's fields change, by what they brought. */
export const SINCE = {
  sizeRules: 164,
  advancedReject: 166,
  issuerId: 176,
  lastTradeDate: 182,
  ineligibility: 186,
  bondHours: 188,
  errorTime: 194,
  historicalDataEnd: 196,
  timeInMillis: 197,
} as const

/** An error or notice; `id` −1 where it belongs to no request. The time stands in it from version 194 on. */
export function errorMessage(version: number, id: number, code: number, text: string, nowMs: number): Buffer {
  const safe = ascii7(text)
  if (version >= SINCE.errorTime) return frame([4, id, code, safe, '', Math.floor(nowMs)])
  return frame(version >= SINCE.advancedReject ? [4, 2, id, code, safe, ''] : [4, 2, id, code, safe])
}

/** TWS builds name the class that refused, two letters of obfuscated Java; they vary by build. */
export const refused = (cause: string): string => `Error validating request.-'bK' : cause - ${cause}`

export const hmds = (text: string): string => `Historical Market Data Service error message:${text}`

/** Texts that may hold any letter travel as 7-bit ASCII since server version 153, the rest as `\uXXXX`. */
export function ascii7(text: string): string {
  let safe = ''
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    safe += unit < 0x80 ? text[i] : `\\u${unit.toString(16).padStart(4, '0')}`
  }
  return safe
}
