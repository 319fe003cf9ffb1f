import { TidegateError } from '@tidegate/core'
import { expect, it } from 'vitest'
import { createMaskedLog } from '../src/log.ts'

it('no account gets into the log, in whatever it comes', () => {
  const lines: string[] = []
  const say = (fields: object, message: string) => void lines.push(`${JSON.stringify(fields)} ${message}`)
  const log = createMaskedLog({ debug: say, info: say, warn: say, error: say })
  const error = new TidegateError('internal', 'DU1234567 failed', { code: 321, cause: new Error('of DF7654321') })
  for (const level of ['debug', 'info', 'warn', 'error'] as const) {
    log[level]({ list: ['U1234567', { deep: 'F7654321' }], err: error, count: 3, none: null }, 'for I1234567')
  }
  expect(lines).toHaveLength(4)
  for (const line of lines) {
    expect(line).not.toMatch(/1234567|7654321/)
    expect(line).toMatch(/"count":3,"none":null.* for I\*{5}67$/)
    expect(line).toContain('"list":["U*****67",{"deep":"F*****21"}]')
    expect(line).toContain('"kind":"internal","code":321')
    expect(line).toContain('"message":"DU*****67 failed"')
    expect(line).toContain('"cause":{"type":"Error","message":"of DF*****21"')
  }
})
