#!/usr/bin/env node
// Plain JavaScript: it must start on an older Node to hand over to the one the project brings.
import module from 'node:module'
import { fileURLToPath } from 'node:url'
import { isNewEnough, runNode } from '../../../scripts/node.mjs'

if (isNewEnough) {
  // What was read and compiled once is kept for the next start, which then takes two thirds of the time.
  module.enableCompileCache()
  await import('../src/main.ts')
} else runNode([fileURLToPath(import.meta.url), ...process.argv.slice(2)], { channel: true })
