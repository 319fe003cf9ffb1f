import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { fileLog } from '../src/log.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tidegate-log-'))
})
afterEach(() => rm(folder, { recursive: true }))

const messages = async (path: string) =>
  (await readFile(path, 'utf8'))
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line).msg)
const modeOf = async (path: string) => (await stat(path)).mode & 0o777

test('a log is its owner’s alone, its folder too, and goes on in the file that is there', async () => {
  const path = join(folder, '.tidegate', 'tidegate.log')
  fileLog('info', path).info('first')
  fileLog('info', path).info('second')
  expect(await messages(path)).toEqual(['first', 'second'])
  expect([await modeOf(path), await modeOf(join(folder, '.tidegate'))]).toEqual([0o600, 0o700])
  await writeFile(join(folder, 'open.log'), '', { mode: 0o644 })
  fileLog('info', join(folder, 'open.log'))
  expect(await modeOf(join(folder, 'open.log'))).toBe(0o600)
})

test('a log that is full goes on in a new file, keeps the one before, and loses nothing between', async () => {
  const path = join(folder, 'full.log')
  await writeFile(path, `${JSON.stringify({ msg: 'x'.repeat(2000) })}\n`)
  const log = fileLog('info', path, 2500)
  for (let i = 0; i < 40; i++) log.info(`line ${i}`)
  expect((await readdir(folder)).sort()).toEqual(['full.log', 'full.log.1'])
  const lines = [...(await messages(`${path}.1`)), ...(await messages(path))]
  const kept = Array.from({ length: lines.length }, (_, i) => `line ${40 - lines.length + i}`)
  expect(lines).toEqual(kept)
  expect(lines.length).toBeGreaterThan(20)
  expect(await modeOf(path)).toBe(0o600)
  await rm(path)
  for (let i = 0; i < 40; i++) log.info('somebody took it away')
  expect(await readdir(folder)).toContain('full.log')
})
