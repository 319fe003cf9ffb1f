import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readSettings } from '@tidegate/bridge'
import { afterEach, describe, expect, it } from 'vitest'
import { endAll, KEY, onEnd } from './rig.ts'

afterEach(endAll)

function faultsOf(env: Record<string, string>): string {
  try {
    readSettings(env)
  } catch (error) {
    return (error as Error).message
  }
  return ''
}

function file(content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-settings-'))
  onEnd(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'key')
  writeFileSync(path, content)
  return path
}

describe('the settings', () => {
  it('have the defaults of the documentation', () => {
    expect(readSettings({ BRIDGE_KEY: KEY, IBKR_HOST: '', TWS_ACCOUNT: '' })).toEqual({
      gateway: { host: '127.0.0.1', port: 4002, clientId: 1 },
      tradingMode: 'paper',
      account: undefined,
      connectionTimeoutMs: 300_000,
      requestTimeoutMs: 60_000,
      messagesPerSec: 45,
      probeAfterMs: 300_000,
      marketDataType: 'DELAYED_FROZEN',
      host: '127.0.0.1',
      port: 8787,
      keys: [KEY],
      readKeys: [],
    })
  })

  it('are read from the environment', () => {
    const settings = readSettings({
      IBKR_HOST: 'ib-gateway',
      IBKR_PORT: '4003',
      IBKR_CLIENT_ID: '7',
      IBKR_TRADING_MODE: 'live',
      IBKR_READ_ONLY: 'yes',
      IBKR_REQUEST_TIMEOUT: '90',
      IBKR_RATE_LIMIT: '20',
      TWS_ACCOUNT: 'U1234567',
      BRIDGE_HOST: '0.0.0.0',
      BRIDGE_PORT: '0',
      BRIDGE_KEY: ` ${KEY}, ${'n'.repeat(32)}`,
    })
    expect(settings).toMatchObject({
      gateway: { host: 'ib-gateway', port: 4003, clientId: 7 },
      tradingMode: 'live',
      account: 'U1234567',
      requestTimeoutMs: 90_000,
      messagesPerSec: 20,
      host: '0.0.0.0',
      port: 0,
      keys: [KEY, 'n'.repeat(32)],
    })
  })

  it('are told every fault at once, with the value and what was expected', () => {
    const faults = faultsOf({
      IBKR_PORT: '70000',
      IBKR_CLIENT_ID: '-1',
      IBKR_TRADING_MODE: 'demo',
      IBKR_READ_ONLY: 'perhaps',
      IBKR_REQUEST_TIMEOUT: '1e3',
      IBKR_RATE_LIMIT: '51',
      IBKR_MARKET_DATA_TYPE: 'LIVE',
      TWS_ACCOUNT: 'my account',
      BRIDGE_HOST: '0.0.0.0',
      BRIDGE_PORT: ' ',
    })
    expect(faults.split('\n')[0]).toBe('The settings are wrong:')
    for (const line of [
      'IBKR_PORT: expected a whole number from 1 to 65535 (it is "70000")',
      'IBKR_CLIENT_ID: expected a whole number from 0 to 2147483000 (it is "-1")',
      'IBKR_REQUEST_TIMEOUT: expected a whole number from 1 to 600 (it is "1e3")',
      'IBKR_RATE_LIMIT: expected a whole number from 1 to 50 (it is "51")',
      'BRIDGE_PORT: expected a whole number from 0 to 65535 (it is " ")',
      'TWS_ACCOUNT: expected an account number such as DU1234567',
      'BRIDGE_KEY: expected a key of at least 32 characters, such as `openssl rand -hex 24` prints: BRIDGE_HOST 0.0.0.0 is open to others',
    ]) {
      expect(faults.split('\n')).toContain(`  ${line}`)
    }
    for (const part of [
      'IBKR_TRADING_MODE',
      '(it is "demo")',
      'IBKR_READ_ONLY',
      'IBKR_MARKET_DATA_TYPE',
      '(it is "LIVE")',
    ]) {
      expect(faults).toContain(part)
    }
    expect(faults).not.toContain('my account')
  })

  it('name the account where bridges share Redis: a host has many names', () => {
    const REDIS_URL = 'redis://127.0.0.1:6379'
    expect(faultsOf({ BRIDGE_KEY: KEY, REDIS_URL })).toMatch(
      /TWS_ACCOUNT: there is REDIS_URL and no TWS_ACCOUNT: .*same/,
    )
    const settings = readSettings({ BRIDGE_KEY: KEY, REDIS_URL, TWS_ACCOUNT: 'DU1234567' })
    expect(settings).toMatchObject({ redisUrl: REDIS_URL, account: 'DU1234567' })
  })

  it('need a key, long enough, one or two', () => {
    expect(faultsOf({})).toContain('BRIDGE_KEY: expected a key of at least 32 characters')
    expect(faultsOf({ BRIDGE_KEY: `${KEY},short` })).toBe(
      'The settings are wrong:\n  BRIDGE_KEY: expected a key of at least 32 characters, such as `openssl rand -hex 24` prints',
    )
    expect(faultsOf({ BRIDGE_KEY: `${KEY},${KEY},${KEY}` })).toContain('BRIDGE_KEY: expected one key, or two separated')
    expect(faultsOf({ BRIDGE_KEY: `${'ü'.repeat(40)}` })).toContain('BRIDGE_KEY: expected letters, digits and signs')
    for (const keys of ['short', `${KEY},short`, `${KEY},${KEY},${KEY}`, ',']) {
      const faults = faultsOf({ BRIDGE_KEY: keys })
      expect(faults).toContain('BRIDGE_KEY')
      expect(faults).not.toMatch(/short|kkkk/)
    }
  })

  it('may have keys that read and no more, one or two', () => {
    const reader = 'r'.repeat(32)
    expect(readSettings({ BRIDGE_KEY: KEY, BRIDGE_READ_KEY: reader }).readKeys).toEqual([reader])
    expect(readSettings({ BRIDGE_KEY: KEY, BRIDGE_READ_KEY_FILE: file(`${reader},${KEY}`) }).readKeys).toHaveLength(2)
    expect(faultsOf({ BRIDGE_KEY: KEY, BRIDGE_READ_KEY: 'short' })).toContain(
      'BRIDGE_READ_KEY: expected a key of at least 32',
    )
    expect(faultsOf({ BRIDGE_READ_KEY: reader })).toContain('BRIDGE_KEY: expected a key')
  })

  it('take a secret from a file, and say which file can not be read, beside the other faults', () => {
    expect(readSettings({ BRIDGE_KEY_FILE: file(`${KEY}\n`) }).keys).toEqual([KEY])
    const faults = faultsOf({ BRIDGE_KEY_FILE: '/nowhere/key', IBKR_PORT: 'x' })
    expect(faults).toContain('BRIDGE_KEY_FILE names /nowhere/key, which can not be read')
    expect(faults).toContain('IBKR_PORT')
    expect(faultsOf({ BRIDGE_KEY_FILE: file('\n') })).toContain('BRIDGE_KEY: expected a key')
  })
})
