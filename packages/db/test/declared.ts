import type { DatasetDefinition, SecType } from '@tidegate/core'
import { DEFINITION, details, NOW, type Subject } from './fixture.ts'

export const HOUR_SEC = 3600
export const DAY_SEC = 86_400
export const NOT_FOUND = { kind: 'not-found', message: 'No such contract.' } as const

/** Datasets of a store: made, and looked at. */
export function openDatasets({ store }: Pick<Subject, 'store'>) {
  return {
    /** Declared, its instruments found, its series made. */
    async declared(more: Partial<DatasetDefinition> = {}, secType: SecType = 'STK'): Promise<void> {
      const definition = { ...DEFINITION, ...more }
      await store.putDataset(definition, NOW)
      for (const name of definition.instruments) {
        const told = details(name.split('.')[0] ?? name)
        await store.putInstrument(name, { ...told, contract: { ...told.contract, secType } }, NOW)
      }
      const found = definition.instruments.map((name) => ({ name, instrumentId: name }))
      await store.noteInstruments(definition.name, found, NOW)
      await store.linkDataset(definition)
    },

    /** How a dataset stands. */
    state: async (name = DEFINITION.name, now = NOW) => (await store.wanted(now, name))[0],
  }
}
