import { spawnSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const ROOT = path.resolve(import.meta.dirname, '..')

/** The arrows of ARCHITECTURE.md: from each part, the doors it may import. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  'packages/core': [],
  'packages/relay': ['core'],
  'packages/db': ['core'],
  'packages/ingest': ['core', 'relay', 'db'],
  'packages/functions': ['core', 'relay', 'db', 'ingest'],
  'packages/cli': ['core', 'relay', 'db', 'ingest', 'functions', 'bridge', 'simulator'],
  'packages/simulator': [],
  bridge: ['core', 'relay'],
}
const PARTS = Object.keys(ARROWS)
const DOORS = ['core', 'relay', 'db', 'ingest', 'functions', 'bridge', 'simulator']

let tree = ''
let count = 0
beforeAll(async () => {
  tree = await mkdtemp(path.join(tmpdir(), 'tidegate-arrows-'))
  await cp(path.join(ROOT, 'biome.json'), path.join(tree, 'biome.json'))
})
afterAll(() => rm(tree, { recursive: true, force: true }))

/** Of these imports, each in a file of its own in `folder`, the ones that the project's linter refuses. */
async function refused(folder: string, imports: readonly string[], name = 'example'): Promise<string[]> {
  const batch = path.join(tree, folder)
  await mkdir(batch, { recursive: true })
  const files = imports.map((_, i) => path.join(batch, imports.length === 1 ? `${name}.ts` : `${name}${count}-${i}.ts`))
  count++
  await Promise.all(imports.map((from, i) => writeFile(files[i] ?? '', `export * from '${from}'\n`)))
  const { stdout } = spawnSync(
    path.join(ROOT, 'node_modules/.bin/biome'),
    ['lint', '--vcs-enabled=false', '--max-diagnostics=none', '--reporter=github', ...files],
    { cwd: tree, encoding: 'utf8' },
  )
  const lines = stdout.split('\n').filter((line) => line.includes('noRestrictedImports'))
  return imports.filter((_, i) => lines.some((line) => line.includes(path.basename(files[i] ?? '?'))))
}

describe('imports go one way', () => {
  it.each(PARTS)('%s', async (part) => {
    const others = DOORS.filter((door) => !part.endsWith(door))
    const forbidden = others.filter((door) => !ARROWS[part]?.includes(door)).map((door) => `@tidegate/${door}`)
    expect(
      await refused(
        `${part}/src`,
        others.map((door) => `@tidegate/${door}`),
      ),
    ).toEqual(forbidden)
  })

  it.each(PARTS)('%s reaches into no other package', async (part) => {
    const deep = ['../../../core/src/window.ts', '../../db/src/store.ts', '@tidegate/core/src/window.ts']
    expect(await refused(`${part}/src/deep`, [...deep, '../neighbour.ts', './beside.ts'])).toEqual(deep)
  })

  it.each(PARTS)('%s leaves @stoqey/ib to the gateway', async (part) => {
    expect(await refused(`${part}/src`, ['@stoqey/ib', './beside.ts'])).toEqual(['@stoqey/ib'])
  })

  it('the gateway touches @stoqey/ib', async () => {
    expect(await refused('bridge/src', ['@stoqey/ib'], 'gateway')).toEqual([])
  })

  it.each(['packages/core', 'packages/ingest'])('%s runs on any runtime', async (part) => {
    expect(await refused(`${part}/src`, ['node:fs', './beside.ts'])).toEqual(['node:fs'])
  })
})
