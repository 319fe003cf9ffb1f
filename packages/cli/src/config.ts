import { existsSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type DatasetDefinition, type Hours, TidegateError } from '@tidegate/core'
import { checkConfig } from '@tidegate/functions'

/** What a config is called where nobody names one. */
export const CONFIG_FILE = 'tidegate.config.ts'
const EXPECTED = 'expected a module whose default export is defineConfig({ datasets: [ … ] })'

export interface ConfigOptions {
  readonly cwd: string
  /** Default: `tidegate.config.ts`. */
  readonly file?: string | undefined
  /** Those of a dataset that does not say. */
  readonly hours: Hours
  /** Epoch milliseconds: nothing can be wanted since later. */
  readonly now: () => number
}

/** Whether the folder has a config of its own. */
export function hasConfig(cwd: string): boolean {
  return existsSync(resolve(cwd, CONFIG_FILE))
}

/**
 * The datasets that a config declares, checked. Throws `not-found` for a file that is not there, and `invalid`, naming the
 * file and what was expected, for one that can not be loaded or does not declare datasets; every fault at once.
 */
export async function loadConfig(options: ConfigOptions): Promise<DatasetDefinition[]> {
  const { cwd, file = CONFIG_FILE, hours, now } = options
  const path = resolve(cwd, file)
  if (!existsSync(path)) {
    throw new TidegateError('not-found', `There is no ${path}: ${EXPECTED}, or another file with --config.`)
  }
  let loaded: { readonly default?: unknown }
  try {
    loaded = await import(pathToFileURL(path).href)
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause)
    throw new TidegateError('invalid', `${path} can not be loaded: ${said.trim()} (${EXPECTED})`, { cause })
  }
  return checkConfig(loaded.default, { hours, file: basename(path), now })
}
