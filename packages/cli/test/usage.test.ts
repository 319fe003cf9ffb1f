import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { tidegate } from './command.ts'

test.each([
  [['fetch', '--colour'], /unknown option '--colour'/],
  [['fetch', '--instrument', 'AAPL'], /unknown option '--instrument'\n\(Did you mean --instruments\?\)/],
  [['fetch', '--end', '2024-01-02'], /not given: --instruments, --timeframe, --start\./],
  [['fetch', '--instruments', 'ES', '--start', 'x', '--timeframe', '1H'], /--timeframe: "1H" is.*\n.*--start: "x"/],
  [['bars', '--csv', '--json'], /cannot be used with/],
  [['series', '--timeout', '3'], /unknown option '--timeout'/],
  [['simulate', '--now', 'noon'], /"noon" is no instant/],
  [['simulate', '--server-version', '90'], /163 to 200/],
  [
    ['fetch', '--instruments', 'AAPL', '--timeframe', '1MIN', '--start', '2024-01-02', '--bogus'],
    /unknown option '--bogus'/,
  ],
  [
    ['fetch', '--instruments', 'AAPL,,MSFT', '--timeframe', '1MIN', '--start', '2024-01-02'],
    /names separated by commas/,
  ],
  [['connect', '--timeout', '0'], /1 to 3600 seconds/],
  [['series', '??'], /"\?\?" is no instrument id/],
  [['runs', 'cancel', ''], /Expected an id or a name/],
  [['keys', 'revoke', ' '], /Expected an id or a name/],
  [['keys', 'create', '--name', 'x', '--scopes', 'read,write'], /"write" is none of read, run, admin\./],
  [['webhooks', 'add', 'https://example.com', '--events', 'run.done'], /"run\.done" is none of run\.finished, /],
  [['coverage', '--start', '2026-01-02', '--end', '2026-01-01'], /--start: .* must be before the end/],
  [['fly'], /unknown command 'fly'/],
  [['simulate', '--replay', 'nothing'], /Expected ID=FILE/],
])('misuse is status 2: %j', async (argv, message) => {
  const { status, err } = await tidegate(tmpdir(), argv)
  expect(err).toMatch(message)
  expect(status).toBe(2)
})

test('help tells the commands, examples and where settings come from, with status 0', async () => {
  const { status, out, err } = await tidegate(tmpdir(), ['--help'])
  for (const command of ['start', 'connect', 'fetch', 'plan', 'bars', 'series', 'status', 'migrate', 'simulate']) {
    expect(out).toMatch(new RegExp(`^ +${command} `, 'm'))
  }
  expect(out).toContain('Examples:')
  expect(out).toContain('.env.example')
  expect({ status, err }).toEqual({ status: 0, err: '' })
})

test('help of a command marks what is needed and tells defaults', async () => {
  const fetch = await tidegate(tmpdir(), ['fetch', '--help'])
  for (const option of ['instruments', 'timeframe', 'start']) {
    expect(fetch.out).toMatch(new RegExp(`--${option} <\\w+> +needed: `))
  }
  expect(fetch.out).toMatch(/--hours .*default: "regular"/)
  expect(fetch.out).toMatch(/--priority .*default: "interactive"/)
  expect((await tidegate(tmpdir(), ['simulate', '--help'])).out).not.toContain('default: [])')
})

test('an error tells its cause when asked to', async () => {
  const env = { TIDEGATE_URL: 'http://127.0.0.1:1', TIDEGATE_KEY: 'k'.repeat(32) }
  const fetch = () => Promise.reject(new Error('the cable is out'))
  const { err } = await tidegate(tmpdir(), ['--verbose', 'series'], { env, fetch })
  expect(err).toMatch(/^tidegate: Tidegate at http:\/\/127\.0\.0\.1:1 did not answer.*\ncause: the cable is out\n$/)
})

test.each([
  ['a web page', new Response('<html>'), /answered 200 with no JSON: is that Tidegate\? <html>/],
  [
    'an error of its own',
    Response.json({ detail: 'no' }, { status: 502 }),
    /answered 502 with an error of an unknown shape/,
  ],
])('what is no Tidegate is told from one: %s', async (_, response, message) => {
  const env = { TIDEGATE_URL: 'http://127.0.0.1:1', TIDEGATE_KEY: 'k'.repeat(32) }
  const { status, err } = await tidegate(tmpdir(), ['series'], { env, fetch: async () => response })
  expect(err).toMatch(message)
  expect(status).toBe(1)
})
