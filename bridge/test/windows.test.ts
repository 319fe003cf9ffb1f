import { createWindows, RULES, type Rules, systemClock, type Windows } from '@tidegate/bridge'
import { afterEach, describe, expect, it } from 'vitest'
import { hasRedis, openShared, startRedis } from './redis.ts'
import { endAll } from './rig.ts'

afterEach(endAll)

/** Of the windows only that of small requests passes within a test; the others outlast it on the slowest machine. */
const QUICK: Rules = {
  messages: { ...RULES.messages, limit: 20, windowMs: 60_000, jitterMs: 0 },
  small: { ...RULES.small, limit: 6, windowMs: 1000, marginMs: 20 },
  contract: { ...RULES.contract, limit: 2, windowMs: 60_000, marginMs: 20 },
  identical: { ...RULES.identical, windowMs: 60_000, marginMs: 20 },
  open: { ...RULES.open, limit: 4 },
}
const PATIENT = { timeout: 10_000, interval: 5 }

type Make = () => Promise<Windows>

const inProcess: Make = async () => createWindows({ clock: systemClock, rules: QUICK })

const shared = (url: string) => openShared(url, { rules: QUICK })

const inRedis: Make = async () => shared((await startRedis()).url)

const withRedis = hasRedis()
const implementations: [string, Make][] = [['in the process', inProcess]]
if (withRedis) implementations.push(['in Redis', inRedis])

describe.each(implementations)('windows %s', (_, make) => {
  const small = (contract: string, identity: string, weight = 1) => ({ small: weight, contract, identity })

  it('hold the weight of small requests to the limit, and free it as the window slides', async () => {
    const windows = await make()
    const firstMs = Date.now()
    for (let i = 0; i < 5; i++) expect(await windows.take(small(`c${i}`, `i${i}`))).toBeUndefined()
    const refusal = await windows.take(small('c', 'i', 2))
    expect(refusal).toMatchObject({ rule: 'small' })
    // Until the first is out of the window; Redis' own clock is cut to milliseconds apart from ours.
    expect(refusal?.waitMs).toBeGreaterThanOrEqual(firstMs + 1020 - Date.now() - 2)
    expect(refusal?.waitMs).toBeLessThanOrEqual(1020)
    expect(windows.usage().small).toBe(5)
    expect(await windows.take(small('c6', 'i6'))).toBeUndefined()
    // A request of another class does not care.
    expect(await windows.take({ small: 0, identity: 'minutes' })).toBeUndefined()
    await new Promise((resolve) => setTimeout(resolve, refusal?.waitMs))
    await expect.poll(async () => windows.take(small('c', 'i', 2)), PATIENT).toBeUndefined()
  })

  it('hold requests for one contract apart, and twins', async () => {
    const windows = await make()
    for (const identity of ['a', 'b']) expect(await windows.take(small('one', identity))).toBeUndefined()
    expect(await windows.take(small('one', 'c'))).toMatchObject({ rule: 'contract' })
    expect(await windows.take(small('two', 'a'))).toMatchObject({ rule: 'identical' })
    expect(await windows.take(small('two', 'c'))).toBeUndefined()
  })

  it('hold all messages to the rate', async () => {
    const windows = await make()
    let went = 0
    let refusal: Awaited<ReturnType<Windows['take']>>
    while (!refusal) {
      refusal = await windows.take({ small: 0 })
      if (!refusal) went++
    }
    expect(refusal.rule).toBe('messages')
    expect(went).toBeGreaterThanOrEqual(19)
    expect(went).toBeLessThanOrEqual(20)
  })

  it('hold what they are told to, and what they look like says so', async () => {
    const windows = await make()
    windows.hold('small', 60_000)
    expect(await windows.take(small('c', 'i'))).toMatchObject({ rule: 'small' })
    expect(windows.heldMs('small')).toBeGreaterThan(30_000)
    expect(await windows.take({ small: 0 })).toBeUndefined()
    const ledger = await windows.look()
    expect(ledger.refusal(small('c', 'i'), Date.now())).toMatchObject({ rule: 'small' })
  })
})

describe.runIf(withRedis)('two bridges that share Redis', () => {
  it('keep no twin of the other’s within the window', async () => {
    const { url } = await startRedis()
    const [one, two] = [await shared(url), await shared(url)]
    expect(await one.take({ small: 0, identity: 'same' })).toBeUndefined()
    expect(await two.take({ small: 0, identity: 'same' })).toMatchObject({ rule: 'identical' })
  })

  it('share the places of open requests', async () => {
    const { url } = await startRedis()
    const [one, two] = [await shared(url), await shared(url)]
    for (const place of ['1', '2', '3', '4']) expect(await one.take({ small: 0 }, place)).toBeUndefined()
    expect(await two.take({ small: 0 }, '1')).toMatchObject({ rule: 'open' })
    expect(await two.take({ small: 0 })).toBeUndefined()
    one.release('4')
    await expect.poll(async () => two.take({ small: 0 }, '1'), PATIENT).toBeUndefined()
  })
})
