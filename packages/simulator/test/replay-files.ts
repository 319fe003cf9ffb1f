import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll } from 'vitest'

/** A directory of the suite's own; `write` puts a file there, gzip where its name ends in .gz, and gives its path. */
export function useFiles(): { write(name: string, lines: readonly string[]): Promise<string> } {
  let directory = ''
  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'simulator-'))
  })
  afterAll(() => rm(directory, { recursive: true }))
  return {
    async write(name, lines) {
      const text = `${lines.join('\n')}\n`
      const file = path.join(directory, name)
      await writeFile(file, name.endsWith('.gz') ? gzipSync(text) : text)
      return file
    },
  }
}

export const HEADER = 'timestamp,open,high,low,close'

/** `2012-02-01 00:01:00` */
export function stamp(sec: number): string {
  return new Date(sec * 1000).toISOString().slice(0, 19).replace('T', ' ')
}
