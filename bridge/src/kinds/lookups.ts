import { chainsRequestSchema, contractsRequestSchema, searchRequestSchema } from '@tidegate/relay'
import { defineKind } from './kind.ts'

export const contracts = defineKind({
  name: 'contracts',
  path: '/v1/contracts',
  need: 'definition',
  schema: contractsRequestSchema,
  async ask(connection, { contract }, signal) {
    const contracts = await connection.contracts(contract, signal)
    return { done: { contracts }, size: contracts.length, told: { found: contracts.length } }
  },
})

export const search = defineKind({
  name: 'search',
  path: '/v1/contracts/search',
  need: 'definition',
  schema: searchRequestSchema,
  async ask(connection, { pattern }, signal) {
    const matches = await connection.search(pattern, signal)
    return { done: { matches }, size: matches.length, told: { found: matches.length } }
  },
})

export const chains = defineKind({
  name: 'chains',
  path: '/v1/chains',
  need: 'definition',
  schema: chainsRequestSchema,
  async ask(connection, underlying, signal) {
    const chains = await connection.chains(underlying, signal)
    const size = chains.reduce((sum, { expirations, strikes }) => sum + expirations.length + strikes.length, 0)
    return { done: { chains }, size, told: { found: chains.length } }
  },
})
