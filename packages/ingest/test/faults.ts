import { TidegateError } from '@tidegate/core'
import type { Store } from '@tidegate/db'
import type { ChunkQueue, IngestOptions } from '@tidegate/ingest'
import type { Relay } from '@tidegate/relay'

/** What befalls a call: it never happens, or it happens and nobody hears of it. */
export type Fault = 'before' | 'after'

/** Says whether something befalls this call, named `store.commit`, `queue.send`, `relay.bars`. */
export type Fate = (call: string) => Fault | undefined

/** The parts of an ingest that fail as `fate` has it: the database, the queue and the bridge each with its own error. */
export function faulty({ store, queue, relay }: Pick<IngestOptions, 'store' | 'queue' | 'relay'>, fate: Fate) {
  return {
    store: wrapped<Store>('store', store, fate, () => new TidegateError('database', 'the database is gone')),
    queue: wrapped<ChunkQueue>('queue', queue, fate, () => new Error('the queue is gone')),
    relay: wrapped<Relay>('relay', relay, fate, () => new TidegateError('disconnected', 'the bridge is gone')),
  }
}

function wrapped<T extends object>(name: string, target: T, fate: Fate, error: () => Error): T {
  return new Proxy(target, {
    get(_, key) {
      const method: unknown = Reflect.get(target, key)
      if (typeof method !== 'function' || typeof key !== 'string') return method
      return async (...args: unknown[]) => {
        const fault = fate(`${name}.${key}`)
        if (fault === 'before') throw error()
        const result: unknown = await method.apply(target, args)
        if (fault === 'after') throw error()
        return result
      }
    },
  })
}
