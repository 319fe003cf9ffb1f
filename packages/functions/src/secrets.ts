import { readFileSync } from 'node:fs'
import { TidegateError } from '@tidegate/core'

const SECRETS = ['BRIDGE_KEY', 'TIDEGATE_KEY', 'DATABASE_URL'] as const

/** The environment with secrets read from the files that `NAME_FILE` names, where `NAME` itself is not set. */
export function withSecretFiles(
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string | undefined>> {
  const read = SECRETS.flatMap((name): [string, string][] => {
    const path = env[`${name}_FILE`]
    return !env[name] && path ? [[name, contentOf(`${name}_FILE`, path)]] : []
  })
  return { ...env, ...Object.fromEntries(read) }
}

function contentOf(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (cause) {
    throw new TidegateError('invalid', `${name} names ${path}, which can not be read.`, { cause })
  }
}
