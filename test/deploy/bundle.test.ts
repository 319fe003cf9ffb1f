import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bundle, type TargetName, targets } from '../../scripts/bundle.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
const builtin = new Set(builtinModules.flatMap((name) => [name, `node:${name}`]))

/** Built into workerd under nodejs_compat, and not mere stubs there. */
const WORKERD_OFFERS = new Set(
  'assert async_hooks buffer console crypto diagnostics_channel events path process querystring stream string_decoder timers url util zlib'
    .split(' ')
    .map((name) => `node:${name}`),
)

let dist = ''
beforeAll(async () => {
  dist = await mkdtemp(path.join(tmpdir(), 'tidegate-bundles-'))
})
afterAll(() => rm(dist, { recursive: true, force: true }))

async function bundled(name: TargetName) {
  const { file, metafile } = await bundle(name, dist)
  const outputs = Object.values(metafile.outputs)
  return {
    file,
    code: await readFile(file, 'utf8'),
    inputs: Object.keys(metafile.inputs),
    imports: outputs.flatMap(({ imports }) => imports.filter(({ external }) => external).map(({ path }) => path)),
  }
}

const missing = (name: TargetName) => !existsSync(path.join(ROOT, targets[name].entry))
const packageOf = (input: string) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1]

describe('bundles', () => {
  it.skipIf(missing('bridge'))('the bridge needs nothing but node', async () => {
    const { imports, inputs } = await bundled('bridge')
    // ws tries for its native add-ons and does without.
    const addons = ['bufferutil', 'utf-8-validate']
    expect(imports.filter((name) => !builtin.has(name) && !addons.includes(name))).toEqual([])
    expect(inputs.map(packageOf)).toContain('@stoqey/ib')
  })

  it('the functions need nothing but node, and find their migrations', async () => {
    const { file, code, imports, inputs } = await bundled('functions')
    // pg tries for its native add-on and does without.
    expect(imports.filter((name) => !builtin.has(name) && name !== 'pg-native')).toEqual([])
    expect(inputs.map(packageOf)).not.toContain('@electric-sql/pglite')
    const up = /new URL\(`((?:\.\.\/)+)\$\{MIGRATIONS_FOLDER\}`, import\.meta\.url\)/.exec(code)?.[1]
    const folder = /MIGRATIONS_FOLDER = "([^"]+)"/.exec(code)?.[1]
    expect(existsSync(path.resolve(path.dirname(file), `${up}${folder}`, 'meta/_journal.json'))).toBe(true)
  })

  it('the Worker imports what workerd offers, and holds no database of Node', async () => {
    const { imports, inputs } = await bundled('worker')
    expect(imports.filter((name) => !WORKERD_OFFERS.has(name) && !name.startsWith('cloudflare:'))).toEqual([])
    const packages = new Set(inputs.map(packageOf))
    for (const name of ['@electric-sql/pglite', 'pg', 'pg-boss', '@hono/node-server', '@stoqey/ib', 'ws']) {
      expect(packages).not.toContain(name)
    }
  })

  it.skipIf(missing('simulator'))('the simulator needs nothing but node', async () => {
    const { imports } = await bundled('simulator')
    expect(imports.filter((name) => !builtin.has(name))).toEqual([])
  })
})
