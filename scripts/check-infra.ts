/**
 * Checks sst.config.ts and infra/ without an account: `npm run check:infra`.
 *
 * 1. Installs SST's components into .sst/ where they are missing (about a minute and 390 MB, once).
 * 2. Type-checks infra/ against them.
 * 3. Runs the configuration against them with a cloud that only takes notes, and looks at what it would create.
 *
 * What this can't tell: whether Cloudflare accepts it. Only `sst deploy` does, and that needs an account.
 */
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { installComponents, run } from './infra/components.ts'
import { expectCron, expectNoLeaks, expectQueue, expectWorkers, SETTINGS } from './infra/expectations.ts'
import { planDeployment } from './infra/plan.ts'

const ROOT = path.resolve(fileURLToPath(import.meta.url), '../..')

/** Recognisable, so that they are found wherever they end up. */
const SECRETS = {
  BridgeUrl: 'https://bridge-url-of-the-check.example',
  BridgeKey: 'bridge-key-of-the-check',
  BridgeList: '[{"name":"one","url":"https://bridges-of-the-check.example","key":"bridges-of-the-check"}]',
  TidegateKey: 'tidegate-key-of-the-check',
  DatabaseUrl: 'postgres://user:database-password-of-the-check@ep-check.neon.tech/tidegate',
}

console.log((await installComponents(ROOT)) ? 'Installed the SST components.' : 'The SST components are there.')

await run(path.join(ROOT, 'node_modules/.bin/tsc'), ['-p', 'infra/tsconfig.json'], ROOT)
console.log('infra/ type-checks against them.')

const plan = await planDeployment(ROOT, 'check', SECRETS, SETTINGS)
expectWorkers(plan)
expectCron(plan)
expectQueue(plan)
expectNoLeaks(plan, Object.values(SECRETS))

const created = plan.resources.filter(({ type }) => type.startsWith('cloudflare:'))
console.log(`A deployment would create ${created.length} resources at Cloudflare:`)
for (const { type, name } of created) console.log(`  ${type.split(':').at(-1)}  ${name}`)
