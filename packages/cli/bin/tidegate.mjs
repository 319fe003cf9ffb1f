#!/usr/bin/env node
// Plain JavaScript: it must start on an older Node to hand over to the one the project brings.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
if (Number(process.versions.node.split('.')[0]) >= 24) {
  await import(main)
} else {
  const node = fileURLToPath(new URL('../../../node_modules/.bin/node', import.meta.url))
  const { status, error } = spawnSync(node, [main, ...process.argv.slice(2)], { stdio: 'inherit' })
  if (error) console.error(`tidegate needs Node 24, and ${node} did not start (${error.message}). Run: npm ci`)
  process.exit(status ?? 1)
}
