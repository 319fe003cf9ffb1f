import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { tidegate } from './command.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidegate-beacon-'))
  await mkdir(join(folder, '.tidegate'))
  const beacon = { url: 'http://127.0.0.1:9', key: 'k'.repeat(64), pid: process.pid }
  await writeFile(join(folder, '.tidegate', 'server.json'), JSON.stringify(beacon))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test.each([[['datasets']], [['connect']], [['start', '--once']]])(
  '%j beside a Tidegate that is too busy to answer says so',
  async (argv) => {
    const waits: number[] = []
    const { status, out, err } = await tidegate(folder, argv, {
      fetch: ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      sleep: async (ms) => void waits.push(ms),
    })
    expect(err).toMatch(
      /^tidegate: Tidegate runs in this folder, process \d+ at \S+, and did not answer within 10 s: it is busy\. /,
    )
    expect({ status, out, waits }).toEqual({ status: 1, out: '', waits: [10_000] })
  },
)

test('a process that serves nothing is none', async () => {
  const { status, out } = await tidegate(folder, ['datasets'], { fetch: () => Promise.reject(new Error('refused')) })
  expect({ status, out }).toMatchObject({ status: 0, out: expect.stringContaining('Nothing is declared yet') })
})
