import { readFile } from 'node:fs/promises'
import path from 'node:path'

const ROOT = path.resolve(import.meta.dirname, '../..')

/**
 * What the settings of a file read: the keys of its schemas, each on a line of its own. Of all schemas, or of those that
 * have one of the names alone.
 */
export async function namesRead(file: string, schemas?: readonly string[]): Promise<string[]> {
  const code = await readFile(path.join(ROOT, file), 'utf8')
  const blocks = [...code.matchAll(/^const (\w+) = (?:z\.object\()?\{\n(.*?)^\}/gms)]
  return blocks.flatMap(([, name = '', body = '']) =>
    schemas && !schemas.includes(name)
      ? []
      : [...body.matchAll(/^ {2}([A-Z][A-Z0-9_]+):/gm)].map(([, key = '']) => key),
  )
}
