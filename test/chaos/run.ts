import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { EVENT_TYPES, sinceSec } from '@tidegate/core'
import { createStore, type Database } from '@tidegate/db'
import { sql } from 'drizzle-orm'
import { wipe } from '../support/wipe.ts'
import { createHookCaller } from './caller.ts'
import { createDice } from './dice.ts'
import { createFunctions } from './functions.ts'
import { openLogins } from './logins.ts'
import { createPassage } from './passage.ts'
import { createReader } from './reader.ts'
import { createScales } from './scales.ts'
import { createSplits } from './splits.ts'
import { MOST_SKEW_SEC, startStorm } from './storm.ts'
import { createStory } from './story.ts'
import { createTime } from './time.ts'
import { judge, type Want } from './verdict.ts'
import { beginning, randomDataset } from './wanted.ts'
import { watchWires } from './wires.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** Rounds of the calm, and of waiting for the last of what was asked by hand: hours, by the run's clock. */
const CALM_ROUNDS = 14
const LAST_ROUNDS = 150
const HOOK = 'chaos'

/** What became of one run. */
export interface Outcome {
  readonly seed: number
  /** What is wrong; nothing, if all is well. */
  readonly faults: readonly string[]
  /** The same for every replay of the seed. */
  readonly digest: string
  readonly bars: number
  readonly series: number
  readonly requests: number
  readonly deaths: number
  readonly kills: number
  readonly events: number
  /** Splits that happened, and series that were adjusted for it. */
  readonly splits: number
  readonly adjusted: number
  /** How often a whole series was read meanwhile. */
  readonly reads: number
}

export interface RunOptions {
  /** Migrated; everything in it is deleted. */
  readonly database: Database
  /** Told what happens, line by line. */
  readonly print?: (line: string) => void
}

/**
 * One run: datasets that the seed chooses are declared, a storm that it chooses passes over everything that has a part in
 * collecting them, and once the dust has settled what is stored is held against the market.
 */
export async function runChaos(seed: number, { database, print }: RunOptions): Promise<Outcome> {
  await wipe(database)
  const dice = createDice(seed)
  const time = createTime(beginning(dice) * 1000)
  const story = createStory(time.now, print)
  const wires = watchWires()
  const folder = await mkdtemp(path.join(tmpdir(), 'tidegate-chaos-'))
  let stormy = false
  let kills = 0
  const shared = { time, wires, story, isStormy: () => stormy }
  const logins = await openLogins({ ...shared, dice: dice.fork(), folder, marketSeed: String(seed) })
  const { gateways, relay } = logins
  const functions = createFunctions({ ...shared, dice: dice.fork(), database, relay })
  const store = createStore(database)

  const { pass, wait } = createPassage(time, wires)
  const nowSec = () => Math.floor(time.now() / 1000)
  const scales = createScales(nowSec())

  try {
    const wants = await declare()
    const names = wants.map(({ name }) => name)
    const caller = createHookCaller({
      ...shared,
      dice: dice.fork(),
      secret: await makeHook(dice.pick(names)),
      post: (call) => functions.callHook(HOOK, call),
    })
    const delaySec = dice.chance(0.3) ? dice.whole(600, 5 * 3600) : undefined
    if (delaySec) for (const { simulator } of gateways) await simulator.event({ type: 'settlement', delaySec })
    const counted = gateways.map((gateway) => ({
      ...gateway,
      async kill() {
        kills++
        await gateway.kill()
      },
    }))
    const reader = createReader({ ...shared, dice: dice.fork(), store, functions, logins, scales })
    const instruments = wants.flatMap((want) => want.instruments)
    const splits = createSplits(instruments, { ...shared, dice: dice.fork(), scales, logins })
    stormy = true
    functions.restart()
    const storm = startStorm({
      ...{ ...shared, functions, caller, reader, splits, dice: dice.fork(), gateways: counted, datasets: names },
    })
    functions.round()
    await pass(dice.whole(HOUR_MS, 4 * HOUR_MS))
    stormy = false
    await storm.end()
    const calmSec = nowSec() + MOST_SKEW_SEC
    functions.restart()
    for (let round = 0; round < CALM_ROUNDS; round++) {
      functions.round()
      await pass(round < 5 ? 5 * MINUTE_MS : 30 * MINUTE_MS)
      await wait(reader.read())
    }
    const askedSec = nowSec()
    for (const name of names) await wait(functions.call('PATCH', `/v1/datasets/${name}`, { paused: true }))
    for (const name of names) await wait(functions.call('POST', `/v1/datasets/${name}/runs`))
    for (let round = 0; round < LAST_ROUNDS && (round === 0 || (await isAnythingOpen())); round++) {
      functions.round()
      await pass(5 * MINUTE_MS)
    }
    const { receiver } = functions
    const verdict = await judge({
      ...{ database, store, logins, scales, receiver, caller, wants, calmSec },
      nowSec: askedSec,
      endSec: nowSec(),
    })
    const { sent, lost, doubled, late, buried } = functions.queue.stats
    story.tell(`messages: ${sent} sent, ${lost} lost, ${doubled} doubled, ${late} late, ${buried} buried`)
    return {
      seed,
      faults: [...functions.failures, ...reader.faults, ...verdict.faults],
      digest: story.digest(),
      bars: verdict.bars,
      series: (await store.series()).length,
      requests: gateways.reduce((sum, { simulator }) => sum + simulator.received.length, 0),
      deaths: functions.deaths(),
      kills,
      events: functions.receiver.told.length,
      splits: splits.count(),
      adjusted: verdict.adjusted,
      reads: reader.reads(),
    }
  } finally {
    await logins.close()
    wires.end()
    await rm(folder, { recursive: true, force: true })
  }

  async function declare(): Promise<Want[]> {
    await wait(functions.call('POST', '/v1/webhooks', { url: 'http://127.0.0.1:9/told', events: EVENT_TYPES }))
    const declaredSec = nowSec()
    const declared = Array.from({ length: dice.whole(1, 2) }, (_, n) => randomDataset(`d${n + 1}`, declaredSec, dice))
    for (const dataset of declared) {
      story.tell(JSON.stringify(dataset))
      await wait(functions.call('POST', '/v1/datasets', dataset))
    }
    return declared.map(({ name, since, instruments }) => ({
      name,
      instruments,
      sinceSec: sinceSec(since, declaredSec),
    }))
  }

  /** A hook that starts this dataset, and its secret. */
  async function makeHook(dataset: string): Promise<string> {
    const hook = await wait(functions.call<{ secret: string }>('PUT', `/v1/hooks/${HOOK}`, { dataset }))
    return hook?.secret ?? ''
  }

  async function isAnythingOpen(): Promise<boolean> {
    const [row] = await database.rows<{ open: boolean }>(sql`
      select exists (select 1 from chunks where state in ('queued', 'leased'))
        or exists (select 1 from outbox where delivered_at is null)
        or exists (select 1 from runs where state = 'open')
        or exists (select 1 from adjustments where state = 'collecting')
        or exists (select 1 from deliveries where state = 'waiting') as open`)
    return row?.open ?? false
  }
}
