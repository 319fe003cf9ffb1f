import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { createProgress } from '../src/progress.ts'

test('without a terminal: a line when a series begins, now and then, and when it is done', () => {
  let nowMs = 0
  const lines: string[] = []
  const progress = createProgress({ terminal: undefined, err: (text) => void lines.push(text), now: () => nowMs })
  const show = (settled: number, bars?: number, note?: string) => progress.show('A', { settled, total: 3, bars, note })
  show(0, 0)
  show(1, 390)
  nowMs = 6000
  show(1, 390)
  show(2, 1780, 'the gateway is away')
  show(3, 1170)
  show(3, 1170)
  progress.stop()
  expect(lines).toEqual(['A: 0/3 chunks, 0 bars\n', 'A: 1/3 chunks, 390 bars\n', 'A: 3/3 chunks, 1,170 bars\n'])
})

test('what holds a series up is said, and no number of bars where none is known', () => {
  const lines: string[] = []
  const progress = createProgress({ terminal: undefined, err: (text) => void lines.push(text), now: () => 0 })
  progress.show('A', { settled: 0, total: 2, note: 'asked for by an earlier run' })
  progress.show('A', { settled: 2, total: 2 })
  expect(lines).toEqual(['A: 0/2 chunks (asked for by an earlier run)\n', 'A: 2/2 chunks\n'])
})

test('on a terminal: a bar a series, the last state left standing', () => {
  const terminal = Object.assign(new PassThrough(), { isTTY: true, columns: 120, cursorTo() {}, clearLine() {} })
  let drawn = ''
  terminal.on('data', (bytes) => {
    drawn += bytes
  })
  const progress = createProgress({ terminal, err: () => expect.unreachable(), now: () => 0 })
  progress.show('AAPL.NASDAQ 1-MINUTE-LAST', { settled: 0, total: 4, bars: 0 })
  progress.show('SPY.ARCA 1-DAY-LAST', { settled: 1, total: 2, bars: 250 })
  progress.show('AAPL.NASDAQ 1-MINUTE-LAST', { settled: 4, total: 4, bars: 16_380 })
  progress.stop()
  expect(drawn).toMatch(/AAPL\.NASDAQ 1-MINUTE-LAST +\[=+\] 100% · +4\/4 chunks · 16,380 bars/)
  expect(drawn).toMatch(/SPY\.ARCA 1-DAY-LAST +\[=+-+\] +50% · +1\/2 chunks · 250 bars/)
})
