import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBridge, readSettings } from '@tidegate/bridge'
import { createSimulator } from '@tidegate/simulator'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NOW_MS, tidegate } from './command.ts'

const silent = { debug() {}, info() {}, warn() {}, error() {} }
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidegate-connect-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('connect', () => {
  test('prints the connection, and leaves no database behind', async () => {
    const simulator = await createSimulator({ now: () => NOW_MS, serverVersion: 176 })
    try {
      const { status, out, err } = await tidegate(folder, ['connect'], { env: { IBKR_PORT: String(simulator.port) } })
      expect({ status, err }).toEqual({ status: 0, err: '' })
      expect(out).toMatch(/host +│ 127\.0\.0\.1/)
      expect(out).toMatch(new RegExp(`port +│ ${simulator.port}`))
      expect(out).toMatch(/account +│ SIM\*+01/)
      expect(out).toMatch(/server version +│ 176/)
      expect(out).toMatch(/mode +│ paper/)
      expect(out).toMatch(/SIMULATED/)
      expect(out).toMatch(/\(history\): ok/)
      expect(existsSync(join(folder, '.tidegate'))).toBe(false)
    } finally {
      await simulator.close()
    }
  })

  test('where nobody listens it says at once what to check', async () => {
    const port = await unusedPort()
    const beganMs = performance.now()
    const { status, out, err } = await tidegate(folder, ['connect'], { env: { IBKR_PORT: String(port) } })
    expect({ status, out }).toEqual({ status: 1, out: '' })
    expect(err).toContain(`127.0.0.1:${port}`)
    expect(err).toMatch(/logged in.*API enabled.*port right/)
    expect(err).toContain('npx tidegate simulate')
    expect(err).toMatch(/^tidegate: [^\n]+\n$/)
    expect(performance.now() - beganMs).toBeLessThan(5000)
  })

  test('a port that takes the connection and says nothing ends with the timeout', async () => {
    const sockets = new Set<Socket>()
    const server = createServer((socket) => sockets.add(socket))
    const port = await listening(server)
    try {
      const { status, err } = await tidegate(folder, ['connect', '--timeout', '1'], {
        env: { IBKR_PORT: String(port) },
      })
      expect(status).toBe(1)
      expect(err).toMatch(/Something listens at 127\.0\.0\.1:\d+ but did not answer as a gateway within 1 s\. .*dialog/)
      expect(err).toContain(`127.0.0.1:${port}`)
    } finally {
      for (const socket of sockets) socket.destroy()
      await new Promise((closed) => server.close(closed))
    }
  })

  test.each([
    ['a web server', 'HTTP/1.1 400 Bad Request\r\n\r\n', /is no gateway but a web server\. Is the port right/],
    ['another program', 'SSH-2.0-OpenSSH_9.6\r\n', /is no gateway but a program that speaks something else\./],
  ])('%s at the port is told from a gateway', async (_, greeting, message) => {
    const server = createServer((socket) => socket.resume().end(greeting))
    const port = await listening(server)
    try {
      const { status, err } = await tidegate(folder, ['connect'], { env: { IBKR_PORT: String(port) } })
      expect(err).toMatch(message)
      expect(err).toMatch(/^tidegate: [^\n]+\n$/)
      expect(status).toBe(1)
    } finally {
      await new Promise((closed) => server.close(closed))
    }
  })

  test('goes through the bridge at BRIDGE_URL where one is set', async () => {
    const simulator = await createSimulator({ now: () => NOW_MS })
    const key = 'b'.repeat(32)
    const settings = readSettings({ IBKR_PORT: String(simulator.port), BRIDGE_PORT: '0', BRIDGE_KEY: key })
    const bridge = await createBridge({ settings, log: silent, untilReady: true })
    try {
      const env = { BRIDGE_URL: bridge.url, BRIDGE_KEY: key, IBKR_HOST: 'nowhere.invalid' }
      const { status, out } = await tidegate(folder, ['connect'], { env })
      expect(out).toMatch(new RegExp(`port +│ ${simulator.port}`))
      expect(status).toBe(0)
      const wrong = await tidegate(folder, ['connect'], { env: { ...env, BRIDGE_KEY: 'w'.repeat(32) } })
      expect(wrong.status).toBe(1)
      expect(wrong.err).toMatch(/key/)
    } finally {
      await bridge.close()
      await simulator.close()
    }
  })

  test('beside a bridge that has the login it says how to ask that one', async () => {
    const simulator = await createSimulator({ now: () => NOW_MS })
    const settings = readSettings({ IBKR_PORT: String(simulator.port), BRIDGE_PORT: '0', BRIDGE_KEY: 'b'.repeat(32) })
    const stateFile = join(folder, '.tidegate', `sent-127.0.0.1-${simulator.port}.jsonl`)
    const bridge = await createBridge({ settings: { ...settings, stateFile }, log: silent, untilReady: true })
    try {
      const { status, err } = await tidegate(folder, ['connect'], { env: { IBKR_PORT: String(simulator.port) } })
      expect(err).toMatch(/^tidegate: The bridge in process \d+ has this login: .*BRIDGE_URL and BRIDGE_KEY/)
      expect(status).toBe(1)
    } finally {
      await bridge.close()
      await simulator.close()
    }
  })

  test('of several bridges shows each one’s, and what is the matter with it', async () => {
    const gateway = { host: '10.0.0.5', port: 4001, state: 'ready', phase: 'ready', mode: 'live', simulated: false }
    const one = { name: 'one', ok: true, gateway: { ...gateway, accounts: ['U•••••67'], farms: [] } }
    const away = { host: '10.0.0.6', state: 'down', phase: 'login-required', reason: 'A person has to log in.' }
    const two = { name: 'two', ok: true, gateway: { ...one.gateway, ...away } }
    const three = { name: 'three', ok: false, error: { kind: 'disconnected', message: 'Nobody answers at 10.0.0.7.' } }
    const bridge = { ...one, bridges: [one, two, three] }
    const env = { TIDEGATE_URL: 'http://tidegate.test', TIDEGATE_KEY: 'k'.repeat(32) }
    const fetch = async () => Response.json({ database: { ok: true }, bridge })
    const { status, out } = await tidegate(folder, ['connect'], { env, fetch })
    expect(out).toMatch(/^Bridge one\n.*login +│ ready .*host +│ 10\.0\.0\.5 /s)
    expect(out).toMatch(/\nBridge two\n.*login +│ login-required: A person has to log in\. .*host +│ 10\.0\.0\.6 /s)
    expect(out).toMatch(/\nBridge three: Nobody answers at 10\.0\.0\.7\.\n$/)
    expect(status).toBe(0)
  })

  test('a Tidegate that does not answer is named', async () => {
    const url = `http://127.0.0.1:${await unusedPort()}`
    const env = { TIDEGATE_URL: url, TIDEGATE_KEY: 'k'.repeat(32) }
    const { status, err } = await tidegate(folder, ['connect'], { env })
    expect(err).toContain(`Tidegate at ${url} did not answer`)
    expect(status).toBe(1)
  })

  test.each([
    [{ TIDEGATE_URL: 'http://127.0.0.1:1' }, /TIDEGATE_KEY: expected a key/],
    [{ TIDEGATE_URL: 'nowhere', TIDEGATE_KEY: 'k'.repeat(32) }, /TIDEGATE_URL is "nowhere": expected an address/],
    [{ IBKR_PORT: 'https' }, /IBKR_PORT/],
    [{ BRIDGE_URL: 'http://127.0.0.1:1', BRIDGE_KEY: 'short' }, /BRIDGE_KEY: expected a key of at least 32 characters/],
  ])('wrong settings are named: %j', async (env, message) => {
    const { status, err } = await tidegate(folder, ['connect'], { env })
    expect(err).toMatch(message)
    expect(status).toBe(1)
  })
})

function listening(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : 0)
    })
  })
}

async function unusedPort(): Promise<number> {
  const server = createServer()
  const port = await listening(server)
  await new Promise((closed) => server.close(closed))
  return port
}
