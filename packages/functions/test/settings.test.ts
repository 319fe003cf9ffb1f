import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readSettings, withSecretFiles } from '../src/index.ts'
import { readWorkerSettings } from '../src/settings.ts'

const KEY = 'k'.repeat(32)
const OTHER = 'o'.repeat(40)
const URL = 'postgres://user:secret-word@db.example/tidegate'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'tidegate-settings-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('settings on Node', () => {
  it('need no more than two keys', () => {
    expect(readSettings({ BRIDGE_KEY: KEY, TIDEGATE_KEY: OTHER, DATABASE_URL: '' })).toEqual({
      bridges: [{ name: 'bridge', url: 'http://127.0.0.1:8787', key: KEY }],
      keys: [OTHER],
      hours: 'regular',
      messagesPerSec: 45,
      spans: 'documented',
      answerSec: 2,
      webhooksPrivate: false,
      databaseUrl: undefined,
      listen: { host: '127.0.0.1', port: 8080 },
    })
  })

  it('take everything from the environment; while keys are rotated both open, and the first is shown to the bridge', () => {
    expect(
      readSettings({
        BRIDGE_URL: 'http://bridge:8787',
        BRIDGE_KEY: `${KEY}, ${OTHER}`,
        TIDEGATE_KEY: `${OTHER},${KEY}`,
        DATABASE_URL: URL,
        FUNCTIONS_HOST: '0.0.0.0',
        FUNCTIONS_PORT: '0',
        IBKR_USE_RTH: 'no',
        IBKR_RATE_LIMIT: '20',
        IBKR_SPANS: 'practical',
        IBKR_ANSWER_TIME: '5',
        TIDEGATE_WEBHOOKS_PRIVATE: 'true',
      }),
    ).toEqual({
      bridges: [{ name: 'bridge', url: 'http://bridge:8787', key: KEY }],
      keys: [OTHER, KEY],
      hours: 'all',
      messagesPerSec: 20,
      spans: 'practical',
      answerSec: 5,
      webhooksPrivate: true,
      databaseUrl: URL,
      listen: { host: '0.0.0.0', port: 0 },
    })
  })

  it('name every fault at once, with the value, unless it is secret', () => {
    const env = {
      BRIDGE_URL: 'bridge:8787',
      BRIDGE_KEY: 'too-short-to-tell',
      DATABASE_URL: 'mysql://user:secret-word@host/db',
      FUNCTIONS_PORT: '80800',
      IBKR_USE_RTH: 'perhaps',
      TIDEGATE_WEBHOOKS_PRIVATE: 'maybe',
      IBKR_RATE_LIMIT: '60',
      IBKR_SPANS: 'long',
    }
    let message = ''
    try {
      readSettings(env)
    } catch (error) {
      message = (error as Error).message
      expect(error).toMatchObject({ kind: 'invalid' })
    }
    expect(message.split('\n').sort()).toEqual([
      '  BRIDGE_KEY: expected a key of at least 32 characters',
      '  BRIDGE_URL: expected a URL such as http://127.0.0.1:8787 (it is "bridge:8787")',
      '  DATABASE_URL: expected postgres://USER:PASSWORD@HOST:PORT/DATABASE',
      '  FUNCTIONS_PORT: expected a whole number from 0 to 65535 (it is "80800")',
      '  IBKR_RATE_LIMIT: expected a whole number from 1 to 50 (it is "60")',
      '  IBKR_SPANS: expected documented or practical (it is "long")',
      '  IBKR_USE_RTH: expected true or false (it is "perhaps")',
      '  TIDEGATE_KEY: expected a key of at least 32 characters',
      '  TIDEGATE_WEBHOOKS_PRIVATE: expected true or false (it is "maybe")',
      'The settings are wrong:',
    ])
    expect(message).not.toMatch(/secret-word|too-short/)
  })

  it('take several bridges in the place of one, also from a file', async () => {
    const list = [
      { name: 'one', url: 'http://10.0.0.5:8787', key: KEY, markets: ['NASDAQ', 'CASH:*'] },
      { name: 'two', url: 'https://two.example', key: OTHER },
    ]
    const file = path.join(folder, 'bridges.json')
    await writeFile(file, JSON.stringify(list, null, 2))
    // What is set for one bridge is not looked at then, however wrong.
    const env = { TIDEGATE_KEY: OTHER, BRIDGE_KEY: 'short', BRIDGE_URL: 'nowhere' }
    expect(readSettings({ ...env, BRIDGES: JSON.stringify(list) }).bridges).toEqual(list)
    expect(readSettings(withSecretFiles({ ...env, BRIDGES_FILE: file })).bridges).toEqual(list)
    const worker = readWorkerSettings({ TIDEGATE_KEY: OTHER, DATABASE_URL: URL, BRIDGES: JSON.stringify(list) })
    expect(worker.bridges).toEqual(list)
    expect(readSettings({ TIDEGATE_KEY: OTHER, BRIDGE_KEY: KEY, BRIDGES: '[]' }).bridges).toMatchObject([{ key: KEY }])
  })

  it.each([
    ['no JSON, and it says "secret-word"', ['BRIDGES: expected a JSON list']],
    ['{"name":"secret-word"}', ['BRIDGES: expected a JSON list']],
    [
      JSON.stringify([
        { name: 'one two', url: 'ftp://x', key: 'secret-word' },
        { name: 'b', url: 'http://b:1', key: `${KEY}é`, markets: ['nasdaq'] },
        { name: 'b', url: 'http://b:2', key: KEY, markets: [] },
      ]),
      [
        'BRIDGES[0].name: expected a name of letters',
        'BRIDGES[0].url: expected a URL',
        'BRIDGES[0].key: expected a key of at least 32 characters',
        'BRIDGES[1].key: expected letters, digits and signs of ASCII',
        'BRIDGES[1].markets[0]: expected markets such as',
        'BRIDGES[2].markets: expected a market at least',
      ],
    ],
    [
      JSON.stringify(['b', 'b'].map((name) => ({ name, url: 'http://b:1', key: KEY }))),
      ['BRIDGES[1].name: expected names that differ: "b" is there twice'],
    ],
  ])('name every fault of %s, and no key', (text, faults) => {
    let message = ''
    try {
      readSettings({ BRIDGES: text })
    } catch (error) {
      message = (error as Error).message
    }
    for (const fault of [...faults, 'TIDEGATE_KEY: expected a key']) expect(message).toContain(`  ${fault}`)
    expect(message).not.toMatch(/secret-word|BRIDGE_KEY|kkkk/)
  })

  it('take secrets from files, and name each that can not be read', async () => {
    const file = path.join(folder, 'key')
    await writeFile(file, `${KEY}\n`)
    const env = withSecretFiles({ BRIDGE_KEY_FILE: file, TIDEGATE_KEY: OTHER, TIDEGATE_KEY_FILE: '/not/looked/at' })
    expect(readSettings(env)).toMatchObject({ bridges: [{ key: KEY }], keys: [OTHER] })
    expect(() => withSecretFiles({ BRIDGE_KEY_FILE: '/no/such/a', DATABASE_URL_FILE: '/no/such/b' })).toThrow(
      /BRIDGE_KEY_FILE names \/no\/such\/a, which can not be read[\s\S]*DATABASE_URL_FILE names \/no\/such\/b/,
    )
  })
})

describe('settings of the Worker', () => {
  it('need a database and a bridge that it can reach', () => {
    const env = { BRIDGE_KEY: KEY, TIDEGATE_KEY: OTHER, CHUNKS: {} }
    expect(() => readWorkerSettings(env)).toThrow(/BRIDGE_URL[\s\S]*DATABASE_URL/)
    expect(readWorkerSettings({ ...env, BRIDGE_URL: 'https://bridge.example', DATABASE_URL: URL })).toEqual({
      bridges: [{ name: 'bridge', url: 'https://bridge.example', key: KEY }],
      keys: [OTHER],
      hours: 'regular',
      messagesPerSec: 45,
      spans: 'documented',
      answerSec: 2,
      webhooksPrivate: false,
      databaseUrl: URL,
      databaseEndpoint: undefined,
    })
  })
})
