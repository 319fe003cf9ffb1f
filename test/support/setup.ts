import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  export interface ProvidedContext {
    /** A folder that all test files of one run share, for what takes long to make and only has to be copied. */
    shared: string
  }
}

/** Before all tests: the folder they share. After them: nothing of it is left. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'tidegate-shared-'))
  project.provide('shared', folder)
  return () => rm(folder, { recursive: true, force: true })
}
