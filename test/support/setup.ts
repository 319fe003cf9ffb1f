import { mkdtemp, rm } from 'node:fs/promises'
import path from 'node:path'
import type { TestProject } from 'vitest/node'
import { scratchFolder } from './scratch.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** A folder that all test files of one run share, for what takes long to make and only has to be copied. */
    shared: string
  }
}

/** Before all tests: where their files go, and the folder they share. After them: nothing of it is left. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // The workers, and what they start, inherit it: os.tmpdir() is then this folder everywhere.
  process.env.TMPDIR = await scratchFolder()
  const folder = await mkdtemp(path.join(process.env.TMPDIR, 'tidegate-shared-'))
  project.provide('shared', folder)
  return () => rm(folder, { recursive: true, force: true })
}
