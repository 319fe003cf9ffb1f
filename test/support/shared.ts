import { access, mkdir, rename } from 'node:fs/promises'
import path from 'node:path'
import { inject } from 'vitest'

const LOOK_MS = 25

/**
 * A folder of this name that is made once a run, by the first test file that wants it; the others wait for it.
 * To be copied, never to be changed.
 */
export async function sharedFolder(name: string, make: (folder: string) => Promise<void>): Promise<string> {
  const folder = path.join(inject('shared'), name)
  const draft = `${folder}.draft`
  try {
    await mkdir(draft)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    while (!(await exists(folder))) await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    return folder
  }
  await make(draft)
  // The draft stays as the sign that it is being made, or has been, so it is not the draft itself that is moved.
  await rename(path.join(draft, 'made'), folder)
  return folder
}

async function exists(folder: string): Promise<boolean> {
  return access(folder).then(
    () => true,
    () => false,
  )
}
