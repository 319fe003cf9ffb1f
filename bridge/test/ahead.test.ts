import { afterEach, expect, it } from 'vitest'
import { createFakeClock } from './clock.ts'
import { startRawGateway } from './gateway.ts'
import { NOW_SEC } from './market.ts'
import { AAPL, endAll, request, startBridge, until } from './rig.ts'

afterEach(endAll)

/** A bridge at NOW_SEC and a gateway whose clock is so far ahead, which has a bar, and trades of a second ago and of the next minute. */
async function apart(aheadSec: number, accounts = 'DU1234567') {
  const gateway = await startRawGateway({
    accounts,
    nowSec: () => NOW_SEC + aheadSec,
    script: (client, [id, requestId = '', ...fields]) => {
      if (id === '20') client.send(17, requestId, '', '', 1, NOW_SEC, 1, 1, 1, 1, 1, 1, 1)
      if (id !== '96' || fields.length === 0) return
      const trade = (sec: number) => [sec, 0, 100, 1, 'ISLAND', ''] as const
      client.send(98, requestId, 2, ...trade(NOW_SEC - 1), ...trade(NOW_SEC + 60), 1)
    },
  })
  const rig = await startBridge(gateway.port, { clock: createFakeClock(NOW_SEC * 1000), random: () => 0 })
  return { ...rig, gateway }
}

it.each([
  ['an hour ahead is not believed: what still forms is not final', 3600, 'DU1234567', 0],
  ['a few seconds ahead is not, and that is nothing to tell', 4, 'DU1234567', 0],
  ['behind is', -90, 'DU1234567', -90],
  ['of the simulator is, whatever it is', 3600, 'SIM0000001', 3600],
])('a gateway’s clock %s', async (_, aheadSec, accounts, believedSec) => {
  const { relay } = await apart(aheadSec, accounts)
  const { done } = await relay.bars(request())
  expect(done.asOf - NOW_SEC).toBe(believedSec)
  const trades = { contract: AAPL, whatToShow: 'TRADES', start: NOW_SEC - 60 } as const
  const page = await relay.ticks(trades)
  expect(page.done.asOf - NOW_SEC).toBe(believedSec)
  const all = [NOW_SEC - 1, NOW_SEC + 60]
  expect(page.ticks.t).toEqual(all.filter((sec) => sec < NOW_SEC + believedSec))
  const { gateway } = await relay.status()
  expect(gateway.time).toBe(new Date((NOW_SEC + aheadSec) * 1000).toISOString())
  expect(gateway.aheadMs).toBe(aheadSec > 5 && accounts !== 'SIM0000001' ? aheadSec * 1000 : undefined)
})

it('a gateway’s clock that is far ahead is told of in the log, once', async () => {
  const { gateway, logged, bridge } = await apart(3600)
  const told = () => logged.filter((line) => line.includes('clock is ahead'))
  expect(told()).toEqual([expect.stringMatching(/"aheadMs":3600000.*NTP/)])
  gateway.clients[0]?.send(49, 1, NOW_SEC + 3600)
  gateway.clients[0]?.send(49, 1, NOW_SEC)
  gateway.clients[0]?.send(49, 1, NOW_SEC + 7200)
  await until('it is heard', () => bridge.status().aheadMs === 7_200_000)
  expect(told()).toHaveLength(1)
})
