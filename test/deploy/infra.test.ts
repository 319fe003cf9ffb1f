import { glob, readFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { settingsIn } from '../../infra/settings.ts'
import { namesRead } from './settings.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
/** What the code is given besides settings: a queue, and the other one's name. */
const RESOURCES = ['CHUNKS', 'DEAD_LETTERS']

/** What the schemas of a Worker read. */
const read = () =>
  namesRead('packages/functions/src/settings.ts', ['oneBridge', 'severalBridges', 'common', 'workerSchema'])

/** Answers for every name, and keeps which were asked for. */
function everything(): { readonly env: Record<string, string>; readonly asked: Set<string> } {
  const asked = new Set<string>()
  const env = new Proxy<Record<string, string>>({}, { get: (_, name) => asked.add(String(name)) && `${String(name)}=` })
  return { env, asked }
}

let secrets: string[] = []
beforeAll(async () => {
  for await (const file of glob('infra/*.ts', { cwd: ROOT })) {
    const code = await readFile(path.join(ROOT, file), 'utf8')
    secrets.push(...[...code.matchAll(/linkSecret\('(\w+)'/g)].map(([, name = '']) => name))
  }
  secrets = secrets.sort()
})

describe('a Worker', () => {
  it('is given every setting that it reads, secrets as secrets, and nothing that it does not read', async () => {
    const names = await read()
    expect(names).toEqual(expect.arrayContaining(['TIDEGATE_KEY', 'BRIDGES', 'IBKR_SPANS', 'DATABASE_URL']))
    const { env, asked } = everything()
    const given = settingsIn(env)
    expect(Object.keys(given)).toEqual([...asked])
    expect([...secrets, ...asked].sort()).toEqual(names.sort())
    expect(secrets.join()).toBe('BRIDGES,BRIDGE_KEY,BRIDGE_URL,DATABASE_URL,TIDEGATE_KEY')
  })

  it('knows each of them as a binding', async () => {
    const code = await readFile(path.join(ROOT, 'packages/functions/src/worker.ts'), 'utf8')
    const [, body = ''] = /export interface WorkerEnv \{(.*?)^\}/ms.exec(code) ?? []
    const bindings = [...body.matchAll(/readonly ([A-Z_]+)\??:/g)].map(([, name = '']) => name)
    expect(bindings.sort()).toEqual([...(await read()), ...RESOURCES].sort())
  })

  it('is not given what is not set, so that defaults live in the code alone', () => {
    expect(settingsIn({ IBKR_SPANS: 'practical', IBKR_RATE_LIMIT: '', OTHER: 'x' })).toEqual({
      IBKR_SPANS: 'practical',
    })
  })
})
