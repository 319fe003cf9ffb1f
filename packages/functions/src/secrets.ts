import { readFileSync } from 'node:fs'
import { TidegateError } from '@tidegate/core'

const SECRETS = ['BRIDGE_KEY', 'BRIDGES', 'TIDEGATE_KEY', 'DATABASE_URL'] as const

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The environment with secrets read from the files that `NAME_FILE` names, where `NAME` itself is not set.
 * Throws `invalid`, naming every file that can't be read.
 */
export function withSecretFiles(env: Environment): Environment {
  const given: Record<string, string | undefined> = { ...env }
  const faults: string[] = []
  for (const name of SECRETS) {
    const path = env[`${name}_FILE`]
    if (env[name] || !path) continue
    try {
      given[name] = readFileSync(path, 'utf8').trim()
    } catch (cause) {
      faults.push(`  ${name}_FILE names ${path}, which can not be read: ${(cause as Error).message}`)
    }
  }
  if (faults.length > 0) throw new TidegateError('invalid', `The settings are wrong:\n${faults.join('\n')}`)
  return given
}
