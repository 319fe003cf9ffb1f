import { Webhook } from 'standardwebhooks'
import type { Dice } from './dice.ts'
import type { Time } from './time.ts'

/** What is answered, and how: a run's id where the call was taken. */
export interface HookAnswer {
  readonly status: number
  readonly run: string | undefined
}

export interface SignedCall {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const MINUTE_MS = 60_000
const BODY = '{"from":"chaos"}'

/**
 * Somebody who calls a hook, as senders of Standard Webhooks do: the same call again until it is answered 2xx. While it storms
 * answers get lost, calls come twice at once, come again long after, and somebody without the secret tries his luck.
 */
export interface HookCaller {
  /** A new call. */
  call(): void
  /** What is wrong with the answers; nothing, if all is well. `runs` are those that hooks have started. */
  faults(runs: readonly string[]): string[]
}

interface Parts {
  readonly time: Time
  readonly dice: Dice
  readonly isStormy: () => boolean
  /** Signs with it. */
  readonly secret: string
  /** Brings a call to the hook; rejects where no answer came. */
  readonly post: (call: SignedCall) => Promise<HookAnswer>
}

export function createHookCaller({ time, dice, isStormy, secret, post }: Parts): HookCaller {
  const started = new Map<string, Set<string>>()
  const wrong: string[] = []
  let calls = 0
  let pending = 0

  function signed(id: string, by = secret): SignedCall {
    const at = new Date(Math.floor(time.now() / 1000) * 1000)
    const headers = {
      'webhook-id': id,
      'webhook-timestamp': String(at.getTime() / 1000),
      'webhook-signature': new Webhook(by).sign(id, at, BODY),
    }
    return { headers, body: BODY }
  }

  /** Sends it, and notes which run it is said to have started. */
  async function send(id: string, call: SignedCall): Promise<boolean> {
    const { run } = await post(call)
    if (run === undefined) return false
    started.get(id)?.add(run)
    return true
  }

  async function until2xx(id: string, tries: number): Promise<void> {
    const call = signed(id)
    const sent = [send(id, call)]
    if (isStormy() && dice.chance(0.3)) sent.push(send(id, call))
    const taken = await Promise.all(sent.map((one) => one.catch(() => false)))
    const isLost = isStormy() && dice.chance(0.2)
    // What is caught and played again later starts nothing.
    if (isStormy() && dice.chance(0.3)) {
      time.after(dice.whole(0, 90 * MINUTE_MS), () => void send(id, call).catch(() => false))
    }
    if (taken.includes(true) && !isLost) {
      pending--
      return
    }
    time.after(Math.min(2 ** tries, 10) * MINUTE_MS, () => void until2xx(id, tries + 1))
  }

  async function forge(): Promise<void> {
    const call = signed(`forged-${calls}`, `whsec_${Buffer.alloc(32, 7).toString('base64')}`)
    const { status, run } = await post(call)
    if (run !== undefined) wrong.push(`a call without the secret was answered ${status} and started ${run}`)
  }

  return {
    call() {
      const id = `call-${++calls}`
      started.set(id, new Set())
      pending++
      void until2xx(id, 0)
      if (dice.chance(0.3)) void forge().catch(() => {})
    },
    faults(runs) {
      const told = [...started].flatMap(([id, ids]) =>
        ids.size > 1 ? [`the call ${id} was answered with ${ids.size} runs: ${[...ids].join(', ')}`] : [],
      )
      const known = new Set([...started.values()].flatMap((ids) => [...ids]))
      const own = new Set(runs)
      return [
        ...wrong,
        ...told,
        ...(pending > 0 ? [`${pending} calls of the hook were not taken`] : []),
        ...[...known]
          .filter((run) => !own.has(run))
          .map((run) => `the hook answered with ${run}, which is no run of it`),
        ...[...own]
          .filter((run) => !known.has(run))
          .map((run) => `the hook started ${run}, and no call was answered so`),
      ]
    },
  }
}
