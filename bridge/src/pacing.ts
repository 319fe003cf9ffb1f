import { setMaxListeners } from 'node:events'
import { type Priority, TidegateError } from '@tidegate/core'
import type { Clock } from './clock.ts'
import { createBackoff } from './pacing/backoff.ts'
import { CROWD, crowdOf } from './pacing/crowd.ts'
import { forecast, retryAfter } from './pacing/forecast.ts'
import type { Held, Ledger } from './pacing/ledger.ts'
import { createPass, LOOK_MS } from './pacing/pass.ts'
import { createQueue, type Waiter } from './pacing/queue.ts'
import { chargeOf, lengthMs, MESSAGE, RULES, type RuledRequest, type Rules } from './pacing/rules.ts'
import { createWindows, type Windows } from './pacing/windows.ts'
import type { Turn } from './turn.ts'

/** Open requests end when they end, and a gateway is back when it is: the least time after which asking again makes sense. */
const GUESS_MS = 1000
/** So many of one priority may wait; whoever comes then is told to come again. */
const MOST_WAITING = 2000
const RANK: Record<Priority, number> = { interactive: 1, scheduled: 2, backfill: 3 }

export interface PacedJob {
  readonly priority: Priority
  /** How long it may wait to go, milliseconds. */
  readonly waitMs: number
  /** Who asks: within one priority, callers take turns. */
  readonly caller?: string
  readonly signal?: AbortSignal
  /** What IBKR's rules look at; absent for requests under the message rate only. */
  readonly rule?: RuledRequest
  /** Where several wait for it together: the turn's priority and patience count, and may rise while it waits. */
  readonly turn?: Turn
  /** Whether it would reach the gateway if it went now. While it would not, it waits and takes nothing. */
  readonly isReady?: () => boolean
}

export interface PacingStats {
  readonly open: number
  readonly maxOpen: number
  readonly queued: number
  readonly queuedBy: Record<Priority, number>
  readonly messagesInLastSecond: number
  readonly maxMessagesPerSecond: number
  /** What is left of the budgets at this instant, and for how long all or the small class is told to hold. */
  readonly left: { readonly messages: number; readonly small: number; readonly open: number }
  readonly heldMs: Record<Held, number>
  /** Why nothing goes at all, where that is so. */
  readonly trouble?: string
}

/** The only code that decides when a request may go. */
export interface Pacing {
  /**
   * Runs `ask`, which sends one message at once, when the rules allow it; its place is free again when `ask` has settled.
   * What it took of the windows stays taken, whatever became of it.
   * Throws `busy` when it can't go within the job's `waitMs`: at once where it is known beforehand, or where 2,000 of its
   * priority wait already. After its
   * `retryAfterMs` the same is let go, if nobody else has come; where open requests have to end first, or the gateway is
   * not ready, that is a guess of a second or more. Throws `disconnected` when the signal aborts before it went.
   */
  run<T>(job: PacedJob, ask: () => Promise<T>): Promise<T>
  /** Waits until one more message that is no request (handshake, cancel, probe) may leave, and counts it. */
  message(): Promise<void>
  /**
   * The gateway says that too much was sent: all messages, or the small class, hold for a while, longer each time.
   * How long, milliseconds.
   */
  backOff(what: Held): number
  stats(): PacingStats
  /** Lets no request go any more: those that wait fail with `disconnected`, and so does whatever is asked after that. */
  close(): void
}

export interface PacingOptions {
  readonly clock: Clock
  readonly rules?: Rules
  readonly windows?: Windows
}

interface Waiting extends Waiter {
  rank: number
  /** The name of its open request. */
  readonly place?: string
  go(): void
}

/**
 * Pacing for one login. The queue is ours, and no library's: what goes next depends on the windows of its class, on
 * whose turn it is, and on who was passed over, and `busy` has to tell beforehand when that will be.
 */
export function createPacing({
  clock,
  rules = RULES,
  windows = createWindows({ clock, rules }),
}: PacingOptions): Pacing {
  const queue = createQueue<Waiting>()
  const backoff = createBackoff(clock)
  const waiting = { interactive: 0, scheduled: 0, backfill: 0 }
  let open = 0
  let places = 0
  let again = false
  let isLetting = false
  let letting = Promise.resolve()
  let stopWake = () => {}
  let wakeAtMs = Infinity
  const closing = new AbortController()
  // One listener for each request that waits: there may be many.
  setMaxListeners(0, closing.signal)

  /** Lets go whatever may; resolves when nothing more may at this instant. In this very turn, where the windows are in this process. */
  function letGo(): Promise<void> {
    again = true
    if (!isLetting) letting = letAllGo()
    return letting
  }

  async function letAllGo(): Promise<void> {
    isLetting = true
    while (again) {
      again = false
      const pass = createPass({ asksReady: true })
      if (open >= rules.open.limit) pass.closeRequests(Infinity)
      for (let next = queue.next(pass); next; next = queue.next(pass)) {
        const taken = windows.take(next.charge, next.place)
        const refusal = taken instanceof Promise ? await taken : taken
        if (refusal) pass.refused(next, refusal)
        else {
          queue.take(next)
          next.go()
          if (open >= rules.open.limit) pass.closeRequests(Infinity)
        }
      }
      stopWake()
      wakeAtMs = clock.now() + Math.max(1, pass.wakeMs)
      stopWake = pass.wakeMs === Infinity ? () => {} : clock.after(Math.max(1, pass.wakeMs), () => void letGo())
    }
    isLetting = false
  }

  async function busy(waiter: Waiting, waitMs: number): Promise<TidegateError> {
    const outlook = { queue, ledger: await windows.look(), nowMs: clock.now() }
    const isCrowd = queue.size > CROWD
    const ms = isCrowd ? crowdOf({ ...outlook, rules }).mostMs(waiter) : retryAfter(outlook, waiter, waitMs)
    return busyFor(waiter, waitMs, Math.ceil(ms))
  }

  function busyFor(waiter: Waiting, waitMs: number, ms: number): TidegateError {
    const trouble = windows.trouble?.()
    const isGuess = trouble !== undefined || open >= rules.open.limit || waiter.isReady?.() === false
    const retryAfterMs = isGuess ? Math.max(ms, GUESS_MS) : ms
    const why = trouble === undefined ? '' : ` ${trouble}`
    const message = `Pacing can't let the request go within ${secText(waitMs)}: ask again in ${secText(retryAfterMs)}.${why}`
    return new TidegateError('busy', message, { retryAfterMs })
  }

  function admit<T>(job: PacedJob, ask: () => Promise<T>): Promise<T> {
    const { caller = '', signal, rule, isReady, turn } = job
    return new Promise((resolve, reject) => {
      const charge = chargeOf(rule)
      const place = String(++places)
      const cameMs = clock.now()
      let { priority } = turn ?? job
      let here = true
      let stopPatience = () => {}
      let patience = 0
      const waitMs = () => (turn ? Math.max(0, turn.untilMs - cameMs) : job.waitMs)
      const leave = () => {
        here = false
        queue.remove(waiter)
        waiting[priority]--
        stopPatience()
        leaveTurn()
        signal?.removeEventListener('abort', hangUp)
        closing.signal.removeEventListener('abort', hangUp)
      }
      const refuse = async () => {
        leave()
        reject(await busy(waiter, waitMs()))
      }
      const hangUp = () => {
        leave()
        reject(closing.signal.aborted ? closed() : hungUp())
        // Where its turn held up others, it does so no more.
        if (isReady?.() !== false) void letGo()
      }
      const go = async () => {
        if (!here) return windows.release(place)
        leave()
        open++
        await ask()
          .then(resolve, reject)
          .finally(() => {
            open--
            windows.release(place)
            void letGo()
          })
      }
      const waiter: Waiting = {
        lane: charge.small > 0 ? 'small' : 'plain',
        rank: RANK[priority],
        caller,
        charge,
        place,
        isReady,
        go: () => void go(),
      }
      const giveUp = async (of: number) => {
        // What may go at this very instant is in time.
        if (isReady?.() !== false) await letGo()
        if (here && of === patience) await refuse()
      }
      const bePatient = () => {
        stopPatience()
        const of = ++patience
        const leftMs = cameMs + waitMs() - clock.now()
        if (waitMs() > 0) stopPatience = clock.after(leftMs, () => void giveUp(of).catch(reject))
      }
      const raised = () => {
        bePatient()
        if (!turn || RANK[turn.priority] >= waiter.rank) return
        queue.remove(waiter)
        waiting[priority]--
        priority = turn.priority
        waiter.rank = RANK[priority]
        waiting[priority]++
        queue.add(waiter)
        void letGo()
      }
      const refusal = async (leftMs: number, ofMs: number) => {
        await letGo()
        if (!here || (leftMs > 0 && isSoon(waiter, leftMs))) return undefined
        const ledger = await windows.look()
        if (!here) return undefined
        if (leftMs > 0 && soonestMs(ledger, waiter) <= leftMs) return undefined
        const goesMs = latestMs(ledger, waiter)
        // It goes without him; who comes again by then finds its answer, or waits for it with the others.
        return busyFor(waiter, ofMs, Math.max(0, Math.ceil(goesMs) - ofMs))
      }
      waiting[priority]++
      signal?.addEventListener('abort', hangUp, { once: true })
      closing.signal.addEventListener('abort', hangUp, { once: true })
      queue.add(waiter)
      bePatient()
      const isFull = waiting[priority] > MOST_WAITING
      const leaveTurn = turn?.enter({ raised, refusal }) ?? (() => {})
      const admitted = async () => {
        if (isFull) return refuse()
        // What is not ready waits to be looked at, as do those before it.
        if (isReady?.() !== false || wakeAtMs > cameMs + LOOK_MS) await letGo()
        if (!here || (waitMs() > 0 && isSoon(waiter, waitMs()))) return
        const ledger = await windows.look()
        if (!here) return
        if (waitMs() === 0 || soonestMs(ledger, waiter) > waitMs()) await refuse()
      }
      admitted().catch(reject)
    })
  }

  /** When it goes if nobody else comes, milliseconds: of a crowd, not before. */
  function soonestMs(ledger: Ledger, waiter: Waiting): number {
    const outlook = { queue, ledger, nowMs: clock.now() }
    return queue.size > CROWD ? crowdOf({ ...outlook, rules }).leastMs(waiter) : forecast(outlook, waiter)
  }

  /** The same, and of a crowd, not after. */
  function latestMs(ledger: Ledger, waiter: Waiting): number {
    const outlook = { queue, ledger, nowMs: clock.now() }
    return queue.size > CROWD ? crowdOf({ ...outlook, rules }).mostMs(waiter) : forecast(outlook, waiter)
  }

  /** Whether it surely goes in time, by what is cheap to reckon: behind everyone else, the message rate used in full. */
  function isSoon({ charge }: Waiter, waitMs: number): boolean {
    if (charge.small > 0) return false
    const rounds = 1 + Math.ceil((windows.usage().messages + queue.size + 1) / rules.messages.limit)
    const identicalMs = charge.identity === undefined ? 0 : lengthMs(rules.identical)
    return windows.heldMs('messages') + identicalMs + rounds * lengthMs(rules.messages) <= waitMs
  }

  return {
    message: () =>
      new Promise((resolve) => {
        queue.add({ lane: 'message', rank: 0, caller: '', charge: MESSAGE, go: resolve })
        void letGo()
      }),
    async run(job, ask) {
      if (job.signal?.aborted) throw hungUp()
      if (closing.signal.aborted) throw closed()
      return admit(job, ask)
    },
    backOff(what) {
      const ms = backoff.complained(what)
      windows.hold(what, ms)
      return ms
    },
    stats() {
      const { messages, small } = windows.usage()
      return {
        open,
        maxOpen: rules.open.limit,
        queued: waiting.interactive + waiting.scheduled + waiting.backfill,
        queuedBy: { ...waiting },
        messagesInLastSecond: messages,
        maxMessagesPerSecond: rules.messages.limit,
        left: {
          messages: Math.max(0, rules.messages.limit - messages),
          small: Math.max(0, rules.small.limit - small),
          open: Math.max(0, rules.open.limit - open),
        },
        heldMs: { messages: windows.heldMs('messages'), small: windows.heldMs('small') },
        trouble: windows.trouble?.(),
      }
    },
    close: () => closing.abort(),
  }
}

function hungUp(): TidegateError {
  return new TidegateError('disconnected', 'The caller hung up before its request went out.')
}

function secText(ms: number): string {
  return `${Math.ceil(ms / 100) / 10} s`
}

function closed(): TidegateError {
  return new TidegateError('disconnected', 'The bridge is closing: ask again once it is back.')
}
