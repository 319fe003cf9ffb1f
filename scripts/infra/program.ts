import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { platformOf } from './components.ts'

/** sst.config.ts joined to SST's real components: runs its `app` and its `run` for a stage. */
export type Program = (stage: string) => Promise<Record<string, unknown>>

interface Provider {
  readonly package: string
  readonly alias: string
}

/** SST makes `sst` and each provider global in the project's files; an import at the head of each does the same. */
function globals(root: string, head: string): Plugin {
  const ours = (file: string) => file === path.join(root, 'sst.config.ts') || file.startsWith(path.join(root, 'infra/'))
  return {
    name: 'sst-globals',
    setup(context) {
      context.onLoad({ filter: /\.ts$/ }, async ({ path: file }) =>
        ours(file) ? { contents: `${head}\n${await readFile(file, 'utf8')}`, loader: 'ts' } : undefined,
      )
    },
  }
}

/** The entry: what SST's own generated program does, with the stage as an argument. */
const ENTRY = `
import { run } from './src/auto/run.ts'
import config from '../../sst.config.ts'
export default async function (stage) {
  const app = await config.app({ stage })
  globalThis.sstApp = { removal: 'retain', protect: false, ...app, stage }
  return run(config.run)
}`

/** Bundles sst.config.ts with the components from .sst/platform and loads it. */
export async function loadProgram(root: string): Promise<Program> {
  const platform = platformOf(root)
  const providers: Provider[] = JSON.parse(await readFile(path.join(root, '.sst/provider-lock.json'), 'utf8'))
  const imports = providers.map(({ alias, package: name }) => `import * as ${alias} from '${name}'`)
  const head = [...imports, `import * as sst from '${platform}/src/components'`].join('\n')
  const file = path.join(platform, 'check.program.mjs')
  const cli = { command: 'deploy', dev: false, state: { version: {} } }
  const paths = { home: root, root, work: path.join(root, '.sst'), platform }
  await build({
    stdin: { contents: ENTRY, resolveDir: platform, loader: 'ts' },
    outfile: file,
    bundle: true,
    format: 'esm',
    platform: 'node',
    mainFields: ['module', 'main'],
    nodePaths: [path.join(platform, 'node_modules')],
    inject: [path.join(platform, 'src/shim/run.js')],
    define: { $app: 'globalThis.sstApp', $cli: JSON.stringify({ ...cli, paths }), $dev: 'false' },
    // One copy of Pulumi, ours and the components'; and what only other components use.
    external: ['@pulumi/*', '@pulumiverse/*', '@aws-sdk/*', 'undici', 'esbuild', 'archiver', 'glob', 'vite'],
    banner: {
      js: [
        "import { createRequire } from 'node:module'",
        "import { fileURLToPath as toPath } from 'node:url'",
        'const require = createRequire(import.meta.url)',
        'const __filename = toPath(import.meta.url)',
        "const __dirname = toPath(new URL('.', import.meta.url))",
      ].join('\n'),
    },
    plugins: [globals(root, head)],
    logLevel: 'error',
  })
  const loaded: { default: Program } = await import(pathToFileURL(file).href)
  return loaded.default
}
