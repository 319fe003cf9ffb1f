import { TidegateError } from '@tidegate/core'
import { createStore, type Database, type Store } from '@tidegate/db'
import { type ChunkQueue, createIngest, type Ingest, type IngestOptions } from '@tidegate/ingest'
import type { Relay } from '@tidegate/relay'
import { sql } from 'drizzle-orm'
import type { Dice } from './dice.ts'

/** One process of the functions: from its n-th statement on it is dead, whatever it was at. */
export interface Isolate {
  readonly ingest: Ingest
  readonly store: Store
  readonly isDead: () => boolean
}

export interface Death {
  /** The statement at which it dies. */
  readonly atStatement: number
  /** Whether that statement still happens, unheard of. */
  readonly after: boolean
}

type Parts = Omit<IngestOptions, 'store' | 'relay' | 'queue'> & {
  readonly database: Database
  readonly relay: Relay
  readonly queue: Pick<ChunkQueue, 'send'>
  /** Whether the database refuses connections now. */
  readonly isAway: () => boolean
  readonly death: Death | undefined
  readonly onDeath: () => void
  /** Told of a worker that wrote under a fence which another one held by then. */
  readonly onTrespass: (what: string) => void
}

export function createIsolate({
  database,
  relay,
  queue,
  isAway,
  death,
  onDeath,
  onTrespass,
  ...options
}: Parts): Isolate {
  const gone = new AbortController()
  let statements = 0
  const dead = () => new TidegateError('database', 'this process has been killed')

  function alive(): void {
    if (gone.signal.aborted) throw dead()
  }

  function die(): never {
    gone.abort()
    onDeath()
    throw dead()
  }

  const rows: Database['rows'] = async (statement) => {
    alive()
    if (isAway()) throw new TidegateError('database', 'the database refuses the connection')
    const isLast = death !== undefined && ++statements >= death.atStatement
    if (isLast && !death.after) die()
    const found = await database.rows<never>(statement)
    if (isLast) die()
    // What another part of the process was waiting for when it died reaches nobody.
    alive()
    return found
  }
  const store = watched(createStore({ ...database, rows }), database, onTrespass)
  const ingest = createIngest({
    ...options,
    store,
    relay: mortalRelay(relay, gone.signal),
    queue: {
      async send(chunkIds, delaySec) {
        alive()
        await queue.send(chunkIds, delaySec)
        alive()
      },
      async consume() {
        throw new Error('Messages are brought by the queue itself.')
      },
    },
  })
  return { ingest, store, isDead: () => gone.signal.aborted }
}

/** A store of which is told when a worker that has lost its chunk to another one, or to a cancel, still writes its answer. */
function watched(store: Store, database: Database, onTrespass: (what: string) => void): Store {
  return {
    ...store,
    async commit(claim, answer, now) {
      const [chunk] = await database.rows<{ fence: number }>(
        sql`select fence from chunks where id = ${claim.chunkId}::bigint`,
      )
      const committed = await store.commit(claim, answer, now)
      // Fences only grow: who did not hold it before did not hold it then.
      if (committed.held && chunk?.fence !== claim.fence) {
        onTrespass(`chunk ${claim.chunkId} was committed under fence ${claim.fence}, and ${chunk?.fence} holds it`)
      }
      return committed
    },
  }
}

/** A relay whose calls hang up when the process that makes them dies. */
function mortalRelay(relay: Relay, gone: AbortSignal): Relay {
  const either = (signal: AbortSignal | undefined) => (signal ? AbortSignal.any([signal, gone]) : gone)
  return {
    contracts: (request, signal) => relay.contracts(request, either(signal)),
    search: (request, signal) => relay.search(request, either(signal)),
    chains: (request, signal) => relay.chains(request, either(signal)),
    bars: (request, signal) => relay.bars(request, either(signal)),
    ticks: (request, signal) => relay.ticks(request, either(signal)),
    head: (request, signal) => relay.head(request, either(signal)),
    sessions: (request, signal) => relay.sessions(request, either(signal)),
    status: (signal) => relay.status(either(signal)),
  }
}

/** When a process that begins in a storm dies, if it does. */
export function deathOf(dice: Dice): Death | undefined {
  return dice.chance(0.7) ? { atStatement: dice.whole(1, 120), after: dice.chance(0.5) } : undefined
}
