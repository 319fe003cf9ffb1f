import { glob, readFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { namesRead } from './settings.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')

interface Service {
  readonly image?: string
  readonly ports?: readonly string[]
  readonly environment?: Readonly<Record<string, string | number | null>>
  readonly env_file?: readonly string[]
  readonly networks: readonly string[]
  readonly depends_on?: Readonly<Record<string, { condition: string }>>
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly stop_grace_period?: string
  readonly restart?: string
}

interface Compose {
  readonly services: Readonly<Record<'ib-gateway' | 'bridge' | 'functions' | 'timescaledb', Service>>
  readonly networks: Readonly<Record<string, { internal?: boolean } | null>>
  readonly secrets: Readonly<Record<string, { file: string }>>
}

/** The names in .env.example with what stands after `=`, set and commented-out lines alike. */
function settingsOf(text: string): Map<string, string> {
  const lines = [...text.matchAll(/^(?:# )?([A-Z][A-Z0-9_]*)=(.*)$/gm)]
  return new Map(lines.map(([, name = '', value = '']) => [name, value]))
}

let text = ''
let compose: Compose
let example: Map<string, string>

beforeAll(async () => {
  text = await readFile(path.join(ROOT, 'docker-compose.yml'), 'utf8')
  compose = parse(text, { merge: true })
  example = settingsOf(await readFile(path.join(ROOT, '.env.example'), 'utf8'))
})

describe('docker-compose.yml', () => {
  it('publishes ports on loopback only', () => {
    for (const [name, { ports = [] }] of Object.entries(compose.services)) {
      for (const port of ports) expect(port, name).toMatch(/^127\.0\.0\.1:(\d+|\$\{\w+_PORT:-\d+\}):\d+$/)
    }
    const gateway = compose.services['ib-gateway']
    expect(gateway.ports).toEqual(['127.0.0.1:4001:4003', '127.0.0.1:4002:4004', `127.0.0.1:\${VNC_PORT:-5900}:5900`])
    // With a password the image starts a VNC server: passed on only when it is set.
    expect(gateway.environment).toHaveProperty('VNC_SERVER_PASSWORD', null)
    expect(compose.services.timescaledb.ports).toBeUndefined()
  })

  it.each(['TWS_USERID', 'BRIDGE_KEY', 'TIDEGATE_KEY', 'POSTGRES_PASSWORD'])('refuses to start without %s', (name) => {
    const uses = [...text.matchAll(new RegExp(`\\$\\{${name}([^}]*)\\}`, 'g'))]
    expect(uses.length).toBeGreaterThan(0)
    for (const [use, rule] of uses) expect(rule, use).toMatch(/^:\?set [A-Z_]+/)
  })

  it('holds no secret: each is a reference, and the password of IBKR a file', () => {
    for (const { environment = {} } of Object.values(compose.services)) {
      for (const [name, value] of Object.entries(environment)) {
        // Without a value it is passed on as the machine has it.
        if (value === null || name === 'BRIDGE_URL') continue
        if (/KEY|PASSWORD$|URL$/.test(name)) expect(value, name).toMatch(/\$\{[A-Z_]+:\?/)
      }
    }
    expect(compose.services['ib-gateway'].environment).toMatchObject({
      TWS_PASSWORD_FILE: '/run/secrets/tws_password',
      READ_ONLY_API: 'yes',
      TWOFA_TIMEOUT_ACTION: 'restart',
    })
    expect(compose.secrets.tws_password?.file).toMatch(/TWS_PASSWORD_FILE:-\.\/\.tidegate\//)
  })

  it('reads no variable that .env.example does not explain', () => {
    const read = [...text.matchAll(/(?<!\$)\$\{([A-Z_]+)/g)].map(([, name]) => name)
    const passedOn = Object.values(compose.services).flatMap(({ environment = {} }) =>
      Object.entries(environment).flatMap(([name, value]) => (value === null ? [name] : [])),
    )
    for (const name of [...read, ...passedOn]) expect([...example.keys()]).toContain(name)
  })

  // IBKR_PORT is in the file of the trading mode. A service waits for its gateway for ever, and can't trade whatever is set.
  it.each([
    ['bridge', 'bridge/src/settings.ts', ['IBKR_PORT', 'IBKR_CONNECTION_TIMEOUT', 'IBKR_READ_ONLY']],
    ['functions', 'packages/functions/src/settings.ts', ['DATABASE_HTTP_ENDPOINT']],
  ] as const)('passes on to the %s every setting that it reads', async (name, file, elsewhere) => {
    const read = (await namesRead(file)).filter((setting) => !elsewhere.some((one) => one === setting))
    expect(read.length).toBeGreaterThan(5)
    const passedOn = Object.keys(compose.services[name].environment ?? {})
    expect(passedOn).toEqual(expect.arrayContaining(read))
    // And nothing that nobody reads.
    expect(read).toEqual(expect.arrayContaining(passedOn))
  })

  it.each([
    ['paper', '4004'],
    ['live', '4003'],
  ])('connects to the port for %s', async (mode, port) => {
    expect(compose.services.bridge.environment?.IBKR_HOST).toBe('ib-gateway')
    expect(compose.services.bridge.env_file).toEqual([`docker/\${IBKR_TRADING_MODE:-paper}.env`])
    const file = await readFile(path.join(ROOT, `docker/${mode}.env`), 'utf8')
    expect(settingsOf(file).get('IBKR_PORT')).toBe(port)
  })

  it('lets only the bridge reach the gateway, and nothing outside the database', () => {
    const on = (network: string) =>
      Object.entries(compose.services).flatMap(([name, { networks }]) => (networks.includes(network) ? [name] : []))
    expect(on('gateway')).toEqual(['ib-gateway', 'bridge'])
    expect(on('database')).toEqual(['functions', 'timescaledb'])
    expect(compose.networks.database?.internal).toBe(true)
  })

  it.each(['bridge', 'functions'] as const)('runs the %s confined, and gives it time to finish', (name) => {
    const service = compose.services[name]
    expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], restart: 'unless-stopped' })
    expect(Number.parseInt(service.stop_grace_period ?? '', 10)).toBeGreaterThan(60)
    expect(service.healthcheck?.test.slice(0, 3)).toEqual(['CMD', 'node', 'health.mjs'])
  })

  it('starts the functions once the database answers', () => {
    expect(compose.services.functions.depends_on).toEqual({
      timescaledb: { condition: 'service_healthy' },
      bridge: { condition: 'service_started' },
    })
    expect(compose.services.timescaledb.healthcheck?.test).toContain('pg_isready')
    expect(compose.services.timescaledb.image).toMatch(/^timescale\/timescaledb:\d+\.\d+\.\d+-pg17$/)
  })
})

describe('.env.example', () => {
  it('lists every setting', () => {
    const connection = 'HOST PORT CLIENT_ID TRADING_MODE READ_ONLY CONNECTION_TIMEOUT REQUEST_TIMEOUT RATE_LIMIT'
    const settings = [
      ...`${connection} MARKET_DATA_TYPE USE_RTH`.split(' ').map((name) => `IBKR_${name}`),
      ...'TWS_USERID TWS_USERNAME TWS_PASSWORD TWS_PASSWORD_FILE TWS_ACCOUNT'.split(' '),
      ...'BRIDGE_HOST BRIDGE_PORT BRIDGE_URL BRIDGE_KEY TIDEGATE_KEY'.split(' '),
      ...'FUNCTIONS_HOST FUNCTIONS_PORT DATABASE_URL'.split(' '),
    ]
    expect([...example.keys()]).toEqual(expect.arrayContaining(settings))
  })

  it('lists what the code reads', async () => {
    for await (const file of glob('{bridge,packages/*}/src/**/{settings,env}.ts', { cwd: ROOT })) {
      const code = await readFile(path.join(ROOT, file), 'utf8')
      const names = code.match(/\b(?:IBKR|TWS|BRIDGE|FUNCTIONS|TIDEGATE|DATABASE|REDIS)_[A-Z_]+\b/g) ?? []
      for (const name of names) expect([...example.keys()], file).toContain(name)
    }
  })

  it('gives no secret a value', () => {
    for (const [name, value] of example) {
      if (/(KEY|PASSWORD|DATABASE_URL|ACCOUNT)$/.test(name)) expect(value, name).toBe('')
    }
  })
})
