import type { Dice } from './dice.ts'
import type { Time } from './time.ts'

export interface ToldEvent {
  readonly id: string
  readonly type: string
  readonly data: { readonly run?: string }
}

/** Somebody who is told by webhook: refuses, hangs and loses answers while it storms. */
export interface ShakenReceiver {
  readonly fetch: (request: Request) => Promise<Response>
  /** Events that reached it, each as often as it came. */
  readonly told: readonly ToldEvent[]
}

export function createReceiver(parts: {
  readonly time: Time
  readonly dice: Dice
  readonly isStormy: () => boolean
}): ShakenReceiver {
  const { dice, isStormy } = parts
  const told: ToldEvent[] = []
  return {
    told,
    async fetch(request) {
      const fate = isStormy() ? dice.next() : 1
      if (fate < 0.2) throw new TypeError('fetch failed')
      if (fate < 0.3) return new Response(null, { status: 503 })
      if (fate < 0.4) return await hang(request.signal)
      told.push((await request.json()) as ToldEvent)
      if (fate < 0.5) throw new TypeError('fetch failed: the answer was lost')
      return new Response(null, { status: 204 })
    },
  }
}

/** Never answers: whoever waits hangs up. */
function hang(signal: AbortSignal): Promise<Response> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
