import { headRequestSchema, sessionsRequestSchema } from '@tidegate/relay'
import { defineKind } from './kind.ts'
import { ruleOf } from './rule.ts'

export const head = defineKind({
  name: 'head',
  path: '/v1/head',
  need: 'history',
  schema: headRequestSchema,
  rule: ({ contract, whatToShow }) => ruleOf('head', contract, whatToShow),
  async ask(connection, { hours, ...request }, signal) {
    const head = await connection.head({ ...request, regularHours: hours === 'regular' }, signal)
    return { done: { head }, size: 1, told: { head } }
  },
})

export const sessions = defineKind({
  name: 'sessions',
  path: '/v1/sessions',
  need: 'history',
  schema: sessionsRequestSchema,
  rule: ({ contract }) => ruleOf('bars', contract, 'SCHEDULE', '1 day'),
  async ask(connection, { hours, end, ...request }, signal) {
    const answer = await connection.sessions({ ...request, end, regularHours: hours === 'regular' }, signal)
    const { length } = answer.sessions
    return { done: answer, size: length, empty: answer.empty, told: { sessions: length } }
  },
})
