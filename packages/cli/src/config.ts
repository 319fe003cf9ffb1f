import { existsSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type DatasetDefinition, type Hours, TidegateError } from '@tidegate/core'
import { checkConfig } from '@tidegate/functions'
import type { Context } from './context.ts'

/** What a config is called where nobody names one. */
export const CONFIG_FILE = 'tidegate.config.ts'
const EXPECTED = 'expected a module whose default export is defineConfig({ datasets: [ … ] })'

/** It is a program, and may ask somebody for its instruments. */
const LOAD_SEC = 30

export interface ConfigOptions {
  /** Default: `tidegate.config.ts`. */
  readonly file?: string | undefined
  /** Those of a dataset that does not say. */
  readonly hours: Hours
}

/** Whether the folder has a config of its own. */
export function hasConfig(cwd: string): boolean {
  return existsSync(resolve(cwd, CONFIG_FILE))
}

/**
 * The datasets that a config declares, checked. Throws `not-found` for a file that is not there, and `invalid`, naming the
 * file and what was expected, for one that can not be loaded, not within 30 seconds, or does not declare datasets; every
 * fault at once.
 */
export async function loadConfig(context: Loading, options: ConfigOptions): Promise<DatasetDefinition[]> {
  const { file = CONFIG_FILE, hours } = options
  const path = resolve(context.cwd, file)
  if (!existsSync(path)) {
    throw new TidegateError('not-found', `There is no ${path}: ${EXPECTED}, or another file with --config.`)
  }
  try {
    const loaded = await load(path, context)
    return checkConfig(loaded.default, { hours, file: basename(path), now: context.now })
  } catch (cause) {
    if (cause instanceof TidegateError) throw cause
    const said = (cause instanceof Error ? cause.message : String(cause)).trim()
    throw new TidegateError('invalid', `${path} can not be loaded: ${said} (${EXPECTED})`, { cause })
  }
}

type Loading = Pick<Context, 'cwd' | 'now' | 'sleep' | 'signal' | 'guard'>

/** The module, which runs as it is loaded. */
async function load(path: string, { sleep, signal, guard }: Loading): Promise<{ readonly default?: unknown }> {
  const loaded = new AbortController()
  const unguard = guard(`${path} ended the process while it was loaded: ${EXPECTED}, and no process.exit.`)
  try {
    const waited = sleep(LOAD_SEC * 1000, AbortSignal.any([signal, loaded.signal])).then(() => undefined)
    const module = await Promise.race([import(pathToFileURL(path).href), waited])
    if (module) return module
  } finally {
    loaded.abort()
    unguard()
  }
  if (signal.aborted) throw new TidegateError('invalid', `Interrupted while ${path} was loaded. Nothing was changed.`)
  throw new TidegateError(
    'invalid',
    `${path} was not loaded within ${LOAD_SEC} s: what does it wait for? (${EXPECTED})`,
  )
}
