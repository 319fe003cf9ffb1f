import { createRequire } from 'node:module'
import path from 'node:path'
import { platformOf } from './components.ts'
import { startEngine } from './engine.ts'
import { loadProgram } from './program.ts'

/** One resource that a deployment would create, with the inputs that the provider would be given. */
export interface Planned {
  readonly type: string
  readonly name: string
  readonly inputs: Readonly<Record<string, unknown>>
}

export interface Plan {
  readonly resources: readonly Planned[]
  /** The source of each Worker's code, by the Worker's name. */
  readonly handlers: ReadonlyMap<string, string>
}

/** What is used of Pulumi, which is installed with SST's components and not a dependency of this project. */
interface Pulumi {
  readonly runtime: {
    setMocks(mocks: object, project: string, stack: string, preview: boolean): Promise<void>
    runInPulumiStack(program: () => Promise<unknown>): Promise<unknown>
    waitForRPCs(): Promise<void>
  }
}

/** Stands for the cloud: every resource is created at once and gets back what it was given, and an id. */
function recordInto(resources: Planned[]) {
  return {
    newResource({ type, name, inputs }: Planned) {
      resources.push({ type, name, inputs })
      return { id: `${name}-id`, state: { name, ...inputs } }
    },
    call: ({ inputs }: { inputs: object }) => inputs,
  }
}

/**
 * Runs sst.config.ts against SST's real components, with their real validation, and a cloud that only takes notes.
 * `secrets` are the values by name that `sst secret set` would have stored, `settings` what the environment holds.
 */
export async function planDeployment(
  root: string,
  stage: string,
  secrets: Readonly<Record<string, string>>,
  settings: Readonly<Record<string, string>>,
): Promise<Plan> {
  const platform = platformOf(root)
  const pulumi: Pulumi = createRequire(path.join(platform, 'package.json'))('@pulumi/pulumi')
  const engine = await startEngine(path.join(root, '.sst'))
  process.env.SST_SERVER = engine.url
  process.env.CLOUDFLARE_DEFAULT_ACCOUNT_ID = 'account-of-the-check'
  for (const [name, value] of Object.entries(secrets)) process.env[`SST_SECRET_${name}`] = value
  Object.assign(process.env, settings)
  const resources: Planned[] = []
  try {
    await pulumi.runtime.setMocks(recordInto(resources), 'tidegate', stage, false)
    const program = await loadProgram(root)
    await pulumi.runtime.runInPulumiStack(() => program(stage))
    await pulumi.runtime.waitForRPCs()
  } finally {
    engine.close()
  }
  return { resources, handlers: engine.built }
}
