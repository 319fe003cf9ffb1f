import { type Charge, lengthMs, type Rules } from './rules.ts'

/** A rule that does not let a message go yet, and the least time until it might, milliseconds. `store`: the windows can't be reached. */
export interface Refusal {
  readonly rule: 'messages' | 'small' | 'contract' | 'identical' | 'open' | 'store'
  readonly waitMs: number
}

/** What can be told to hold, whatever the windows say: everything, or the small class. */
export type Held = 'messages' | 'small'

/** A request of the last minutes, as the windows remember it. */
export interface Sent extends Charge {
  /** Epoch milliseconds. */
  readonly atMs: number
}

/** What is left in the windows at one instant. */
export interface Usage {
  readonly messages: number
  readonly small: number
}

/** What has gone lately, and by that what may go next. Knows no clock: every instant is passed in, and none may be before the last. */
export interface Ledger {
  /** The first rule that stands against it, the widest first; undefined when it may go. */
  refusal(charge: Charge, nowMs: number): Refusal | undefined
  /** Milliseconds until so much small weight, be it more than a window holds, has gone, if nothing else goes. */
  smallMs(weight: number, nowMs: number): number
  /** Counts what has gone. */
  record(charge: Charge, atMs: number): void
  /** Nothing of that kind goes for so many milliseconds, whatever a clock is set to meanwhile: never longer. */
  hold(what: Held, ms: number, nowMs: number): void
  /** Milliseconds for which it is still told to hold. */
  heldMs(what: Held, nowMs: number): number
  /** Messages and small weight in their windows. */
  usage(nowMs: number): Usage
  /** A request of this identity went then, whoever sent it. */
  twin(identity: string | undefined, atMs: number): void
  /** What it still counts: small requests, the oldest first, and when each identity went last. */
  recent(nowMs: number): { readonly small: readonly Sent[]; readonly identities: ReadonlyMap<string, number> }
  /** A copy, with these messages and small requests in place of its own where they are given; the oldest first. */
  copy(sent?: { readonly messages: readonly number[]; readonly small: readonly Sent[] }): Ledger
}

const NO_HOLD = { ms: 0, untilMs: 0 }

interface State {
  /** Instants of the messages of the last second and the jitter. */
  messages: number[]
  small: Sent[]
  /** When an identity went last, the oldest first. */
  identities: Map<string, number>
  held: Record<Held, Hold>
}

interface Hold {
  readonly ms: number
  readonly untilMs: number
}

/** An empty ledger: nothing has been sent. */
export function createLedger(rules: Rules): Ledger {
  return ledgerOf(rules, {
    messages: [],
    small: [],
    identities: new Map(),
    held: { messages: NO_HOLD, small: NO_HOLD },
  })
}

function ledgerOf(rules: Rules, state: State): Ledger {
  const { messages, held } = state

  /** Drops what has left every window. After a clock that was set back, what went "later" went now: too long a wait, never too short. */
  function forget(nowMs: number): void {
    for (let i = messages.length - 1; i >= 0 && (messages[i] ?? 0) > nowMs; i--) messages[i] = nowMs
    const keptMs = lengthMs(rules.messages) + rules.messages.jitterMs
    while (messages.length > 0 && (messages[0] ?? 0) <= nowMs - keptMs) messages.shift()
    if ((state.small.at(-1)?.atMs ?? 0) > nowMs)
      state.small = state.small.map((one) => (one.atMs > nowMs ? { ...one, atMs: nowMs } : one))
    while ((state.small[0]?.atMs ?? Infinity) <= nowMs - lengthMs(rules.small)) state.small.shift()
    for (const [identity, atMs] of state.identities) {
      if (atMs > nowMs - lengthMs(rules.identical)) break
      state.identities.delete(identity)
    }
  }

  function heldMs(what: Held, nowMs: number): number {
    const { ms, untilMs } = held[what]
    return Math.max(0, Math.min(ms, untilMs - nowMs))
  }

  function messageWaitMs(nowMs: number): number {
    const { limit, most, jitterMs } = rules.messages
    const fullMs = messages[messages.length - limit]
    if (fullMs === undefined) return heldMs('messages', nowMs)
    const windowMs = fullMs + lengthMs(rules.messages) - nowMs
    const burstMs = messages[messages.length - (most - limit)] ?? -Infinity
    const spreadMs = Math.min(windowMs + jitterMs, burstMs + jitterMs - nowMs)
    return Math.max(windowMs, spreadMs, heldMs('messages', nowMs))
  }

  function smallWaitMs(weight: number, nowMs: number): number {
    let over = weight - rules.small.limit
    for (const one of state.small) over += one.small
    let windowMs = 0
    for (const one of state.small) {
      if (over <= 0) break
      over -= one.small
      windowMs = one.atMs + lengthMs(rules.small) - nowMs
    }
    return Math.max(windowMs, heldMs('small', nowMs))
  }

  function contractWaitMs(contract: string, nowMs: number): number {
    const alike = state.small.filter((one) => one.contract === contract)
    const full = alike[alike.length - rules.contract.limit]
    return full ? full.atMs + lengthMs(rules.contract) - nowMs : 0
  }

  function identicalWaitMs(identity: string, nowMs: number): number {
    const atMs = state.identities.get(identity)
    return atMs === undefined ? 0 : Math.min(atMs, nowMs) + lengthMs(rules.identical) - nowMs
  }

  function twin(identity: string | undefined, atMs: number): void {
    if (identity === undefined) return
    // Deleted first, so that the oldest stays in front.
    state.identities.delete(identity)
    state.identities.set(identity, atMs)
  }

  return {
    refusal({ small, contract, identity }, nowMs) {
      forget(nowMs)
      const all = messageWaitMs(nowMs)
      if (all > 0) return { rule: 'messages', waitMs: all }
      const weighed = small > 0 ? smallWaitMs(small, nowMs) : 0
      if (weighed > 0) return { rule: 'small', waitMs: weighed }
      const alike = contract === undefined ? 0 : contractWaitMs(contract, nowMs)
      if (alike > 0) return { rule: 'contract', waitMs: alike }
      const twin = identity === undefined ? 0 : identicalWaitMs(identity, nowMs)
      return twin > 0 ? { rule: 'identical', waitMs: twin } : undefined
    },
    smallMs(weight, nowMs) {
      const { limit } = rules.small
      const rounds = Math.floor(Math.max(0, weight - 1) / limit)
      return rounds * lengthMs(rules.small) + Math.max(0, smallWaitMs(weight - rounds * limit, nowMs))
    },
    record(charge, atMs) {
      messages.push(atMs)
      if (charge.small > 0) state.small.push({ ...charge, atMs })
      twin(charge.identity, atMs)
    },
    twin,
    hold(what, ms, nowMs) {
      if (ms > heldMs(what, nowMs)) held[what] = { ms, untilMs: nowMs + ms }
    },
    heldMs,
    usage(nowMs) {
      forget(nowMs)
      const inWindow = messages.filter((atMs) => atMs > nowMs - lengthMs(rules.messages))
      return { messages: inWindow.length, small: state.small.reduce((sum, one) => sum + one.small, 0) }
    },
    recent(nowMs) {
      forget(nowMs)
      return state
    },
    copy: (sent = { messages, small: state.small }) =>
      ledgerOf(rules, {
        messages: [...sent.messages],
        small: [...sent.small],
        identities: new Map(state.identities),
        held: { ...held },
      }),
  }
}
