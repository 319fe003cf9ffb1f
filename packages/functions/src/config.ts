import type { DatasetDefinition, Hours } from '@tidegate/core'
import { z } from 'zod'
import { check } from './check.ts'
import { DATASET_NAME, definitionSchema } from './definition.ts'

const EXPECTED = 'expected its default export to be defineConfig({ datasets: [ … ] })'

export interface ConfigCheck {
  /** Those of a dataset that does not say. */
  readonly hours: Hours
  /** Named in the error. */
  readonly file: string
  /** Epoch milliseconds. */
  readonly now: () => number
}

/**
 * The datasets of a config, checked. Throws `invalid`, naming every faulty field of every dataset, a line each, and names that
 * stand twice. A dataset is called by its name where it has one of its own.
 */
export function checkConfig(config: unknown, { hours, file, now }: ConfigCheck): DatasetDefinition[] {
  const datasets = z.array(definitionSchema(hours, now), { error: 'expected a list of datasets' })
  const names = namesIn(config)
  const fieldOf = (path: readonly PropertyKey[]) => {
    const [, place, ...field] = path
    const name = typeof place === 'number' ? names[place] : undefined
    const isOwn = name !== undefined && DATASET_NAME.test(name) && names.indexOf(name) === names.lastIndexOf(name)
    return isOwn && field.length > 0 ? `${name}, ${field.join('.')}` : path.join('.')
  }
  const faults = names.flatMap((name, i) =>
    name !== undefined && names.indexOf(name) < i ? [`datasets.${i}.name: "${name}" stands twice`] : [],
  )
  const schema = z.strictObject({ datasets }, { error: EXPECTED })
  return check(schema, config, { what: file, fieldOf, faults }).datasets
}

/** The names of a config's datasets, in their places, whatever else is wrong with them. */
function namesIn(config: unknown): (string | undefined)[] {
  const named = z.object({ name: z.string() })
  const loose = z.object({ datasets: z.array(z.unknown()) }).safeParse(config)
  return loose.data?.datasets.map((dataset) => named.safeParse(dataset).data?.name) ?? []
}
