import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'

/** Runs a program to its end, its output shown only where it fails. */
export async function run(command: string, args: readonly string[], cwd: string, env: NodeJS.ProcessEnv = {}) {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const output: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk))
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('exit', resolve))
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${Buffer.concat(output)}`)
}

/** Where SST keeps the source of its components, and the providers that they use. */
export function platformOf(root: string): string {
  return path.join(root, '.sst/platform')
}

async function isCurrent(root: string): Promise<boolean> {
  if (!existsSync(path.join(platformOf(root), 'node_modules/@pulumi/cloudflare'))) return false
  const { version } = JSON.parse(await readFile(path.join(root, 'node_modules/sst/package.json'), 'utf8'))
  return (await readFile(path.join(platformOf(root), 'version'), 'utf8')).trim() === version
}

/**
 * Installs SST's components into .sst/ (about 390 MB) where they are missing or of another version; true when it had to.
 * `sst install` alone would first download the Pulumi engine, which only a deployment needs.
 */
export async function installComponents(root: string): Promise<boolean> {
  const sst = path.join(root, 'node_modules/.bin/sst')
  if (!existsSync(sst)) throw new Error(`${sst} is missing: run \`npm ci\` first.`)
  if (await isCurrent(root)) return false
  await run(sst, ['install', '--stage', 'check'], root, {
    SST_SKIP_DEPENDENCY_CHECK: 'true',
    SST_NO_BUN: '1',
    SST_TELEMETRY_DISABLED: '1',
    AWS_EC2_METADATA_DISABLED: 'true',
    npm_config_ignore_scripts: 'true',
    CI: '1',
  })
  return true
}
