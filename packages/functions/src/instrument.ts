import { TidegateError } from '@tidegate/core'
import type { Instrument, Store } from '@tidegate/db'

/**
 * The stored instrument that a name means: an id, a name it was asked for by, or all of an id but the venue where only one
 * fits. Undefined where nothing is stored under it; throws `invalid` where several fit.
 */
export async function storedInstrument(store: Store, text: string): Promise<Instrument | undefined> {
  const name = text.trim().toUpperCase()
  const exact = await store.instrument(name)
  if (exact) return exact
  const [id, ...others] = await store.instrumentIds(name)
  if (id === undefined) return undefined
  if (others.length > 0) {
    throw new TidegateError('invalid', `"${text}" fits ${[id, ...others].join(', ')}: name one of them.`)
  }
  return store.instrument(id)
}
