/** A refusal to give instead of an answer. */
export interface Refuse {
  /** How many requests it still strikes. */
  readonly times: number
  readonly code: number
  readonly text: string
  /** Which requests: those of one farm, or all that ask for data. Default: all. */
  readonly of?: 'history' | 'definition' | 'market'
}

/** Misbehaviour to inject, changeable while the simulator runs. All off by default; `FAULTS` says what each is. */
export interface Faults {
  /** Historical requests get no answer at all. */
  silentHistory: boolean
  /** The next N historical replies break off halfway and the socket closes. */
  dropMidReply: number
  /** The next N historical requests are answered by an error with this text instead, 162 unless told otherwise. */
  refuseHistory: { times: number; text: string; code?: number } | undefined
  /** The next N requests for data are answered by this error instead. */
  refuse: Refuse | undefined
  /** Every reply waits this long, milliseconds. */
  delayMs: number
  /** The next N requests for bars or ticks get a reply that holds nothing and says no more. */
  emptyHistory: number
  /** In strict pacing, a violation gets such an empty reply too, not its error. */
  emptyViolations: boolean
  /** Connections stand and are accepted, yet nothing is ever said again. */
  halfOpen: boolean
  /** The login has expired. `silent`: connections are accepted and get no answer; `no-accounts`: they start without an account. */
  loggedOut: 'no' | 'silent' | 'no-accounts'
  /** How bytes leave: a message a write; every byte its own; or as many messages as there are in one write. */
  frames: 'whole' | 'split' | 'merged'
  /** Connectivity between gateway and IBKR is lost (1100): nothing that needs IBKR is answered. */
  lost: boolean
  /** The historical farm: while it is broken (2105) requests get no answer, or error 162. */
  hmds: 'ok' | 'silent' | 'refusing'
  /** The farm of contract definitions is broken (2157): its requests get no answer. */
  secdefBroken: boolean
  /** The market data farm is broken (2103): new subscriptions get no answer. */
  marketBroken: boolean
  /** Another session holds the login: history is refused by 162, live data by 10197. */
  competing: boolean
  /** The next N requests that name a contract are answered 200, falsely, as in an outage. */
  false200: number
  /** Client ids that phantoms hold: error 326 for whoever comes with one. */
  heldIds: readonly number[]
  /** Symbols to whose market data nobody has subscribed: 354, or delayed quotes where the client takes them; all else is refused. */
  unsubscribed: readonly string[]
  /** Symbols of whose market data a part is not subscribed: notice 10090, and quotes without bid and ask. */
  partlySubscribed: readonly string[]
  /** Bars come behind notice 2188. */
  upToTheSecond: boolean
  /** Volume, average and count of every bar are −1. */
  noVolume: boolean
  /** Durations in seconds answer all hours though regular ones were asked for. */
  rthLeak: boolean
  /** So many bars from before the window stand in front of every reply. */
  overlapBars: number
  /** The first and the last bar of every reply come twice. */
  doubleEdges: boolean
}

/** A gateway that behaves. */
export function noFaults(): Faults {
  return {
    silentHistory: false,
    dropMidReply: 0,
    refuseHistory: undefined,
    refuse: undefined,
    delayMs: 0,
    emptyHistory: 0,
    emptyViolations: false,
    halfOpen: false,
    loggedOut: 'no',
    frames: 'whole',
    lost: false,
    hmds: 'ok',
    secdefBroken: false,
    marketBroken: false,
    competing: false,
    false200: 0,
    heldIds: [],
    unsubscribed: [],
    partlySubscribed: [],
    upToTheSecond: false,
    noVolume: false,
    rthLeak: false,
    overlapBars: 0,
    doubleEdges: false,
  }
}
