import type { Farm } from '@tidegate/relay'

const FARMS: Readonly<Record<number, readonly [Farm['kind'], Farm['state']]>> = {
  2103: ['market', 'broken'],
  2104: ['market', 'ok'],
  2105: ['history', 'broken'],
  2106: ['history', 'ok'],
  2107: ['history', 'inactive'],
  2108: ['market', 'inactive'],
  2119: ['market', 'connecting'],
  2157: ['definition', 'broken'],
  2158: ['definition', 'ok'],
}

/** A farm notice names its farm last: `HMDS data farm connection is OK:ushmds`, `… upon demand.ushmds`. */
const NAME = /[:.]\s*([\w.]+)\s*$/

/** The farm a notice speaks of: `HMDS data farm connection is OK:ushmds` → history, ok, `ushmds`. Undefined for any other. */
export function farmOf(code: number, text: string): Pick<Farm, 'name' | 'kind' | 'state'> | undefined {
  const farm = FARMS[code]
  const name = NAME.exec(text)?.[1]
  return farm && name ? { name, kind: farm[0], state: farm[1] } : undefined
}
