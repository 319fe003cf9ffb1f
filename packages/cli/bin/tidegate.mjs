#!/usr/bin/env node
// Plain JavaScript: it must start on an older Node to hand over to the one the project brings.
import { fileURLToPath } from 'node:url'
import { isNewEnough, runNode } from '../../../scripts/node.mjs'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
if (isNewEnough) await import(main)
else runNode([main, ...process.argv.slice(2)], { channel: true })
