/**
 * Bundles what is deployed into dist/NAME, one file each: `node scripts/bundle.ts [bridge functions worker …]`.
 * Without a name, everything.
 */
import { cp, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build, type Metafile } from 'esbuild'

const ROOT = path.resolve(fileURLToPath(import.meta.url), '../..')

export interface Target {
  readonly entry: string
  /** Below dist/NAME. */
  readonly out: string
  readonly runtime: 'node' | 'workerd'
  /** Directories that the program reads while it runs: where from, and where to below dist/NAME. */
  readonly files?: Readonly<Record<string, string>>
}

export const targets = {
  bridge: { entry: 'bridge/src/main.ts', out: 'bin/bridge.mjs', runtime: 'node' },
  functions: {
    entry: 'packages/functions/src/main.ts',
    // As deep as packages/db/src/drivers, so that `../../migrations` is the same folder in the source and here.
    out: 'lib/bin/functions.mjs',
    runtime: 'node',
    files: { 'packages/db/migrations': 'migrations' },
  },
  worker: { entry: 'packages/functions/src/worker.ts', out: 'worker.mjs', runtime: 'workerd' },
  simulator: { entry: 'docker/simulator.ts', out: 'bin/simulator.mjs', runtime: 'node' },
} as const satisfies Record<string, Target>

export type TargetName = keyof typeof targets

/** Native add-ons that `pg` and `ws` try for, and do without. */
const OPTIONAL_ADDONS = ['pg-native', 'bufferutil', 'utf-8-validate']

/** Bundled CommonJS asks for these three, which an ES module does not have. */
const COMMONJS_NAMES = [
  "import { createRequire as __createRequire } from 'node:module'",
  "import { fileURLToPath as __fileURLToPath } from 'node:url'",
  'const require = __createRequire(import.meta.url)',
  'const __filename = __fileURLToPath(import.meta.url)',
  "const __dirname = __fileURLToPath(new URL('.', import.meta.url))",
].join('\n')

const runtimes: Record<Target['runtime'], BuildOptions> = {
  node: {
    platform: 'node',
    target: 'node22',
    external: OPTIONAL_ADDONS,
    alias: { '@electric-sql/pglite': path.join(ROOT, 'scripts/bundle/no-pglite.ts') },
    banner: { js: COMMONJS_NAMES },
  },
  workerd: {
    platform: 'browser',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    mainFields: ['module', 'main'],
    external: ['node:*', 'cloudflare:*'],
  },
}

/** What esbuild is told for a target: one ES module, names kept for stack traces and logs. */
function optionsFor({ entry, runtime }: Target): BuildOptions {
  return {
    ...runtimes[runtime],
    absWorkingDir: ROOT,
    entryPoints: [entry],
    bundle: true,
    format: 'esm',
    keepNames: true,
    sourcemap: 'linked',
    sourcesContent: false,
    logLevel: 'warning',
  }
}

/** Bundles one target into `DIST/NAME`, replacing what was there, and tells what went into it. */
export async function bundle(
  name: TargetName,
  dist = path.join(ROOT, 'dist'),
): Promise<{ file: string; metafile: Metafile }> {
  const target: Target = targets[name]
  const directory = path.join(dist, name)
  const file = path.join(directory, target.out)
  await rm(directory, { recursive: true, force: true })
  const { metafile } = await build({ ...optionsFor(target), metafile: true, outfile: file })
  for (const [from, to] of Object.entries(target.files ?? {})) {
    await cp(path.join(ROOT, from), path.join(directory, to), { recursive: true })
  }
  return { file, metafile }
}

function isTarget(name: string): name is TargetName {
  return Object.hasOwn(targets, name)
}

async function main(names: readonly string[]): Promise<void> {
  const unknown = names.filter((name) => !isTarget(name))
  if (unknown.length > 0)
    throw new Error(`No target ${unknown.join(', ')}; there are ${Object.keys(targets).join(', ')}.`)
  for (const name of (names.length > 0 ? names : Object.keys(targets)).filter(isTarget)) {
    const { file } = await bundle(name)
    const { size } = await stat(file)
    console.log(`${path.relative(ROOT, file)}  ${Math.ceil(size / 1024)} KiB`)
  }
}

if (import.meta.main) await main(process.argv.slice(2))
