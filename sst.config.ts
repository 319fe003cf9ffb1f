/// <reference path="./.sst/platform/config.d.ts" />

/**
 * The functions on Cloudflare: one Worker for HTTP, one for the cron, one for the queue, all of the same code.
 * This file only loads; each resource is a file in infra/. The bridge and its gateway stay where the login is
 * (docker-compose.yml), and the database is a Postgres that Workers can reach over HTTP (Neon).
 */
export default $config({
  app(input) {
    return {
      name: 'tidegate',
      home: 'cloudflare',
      // A production stage is never taken down by a slip of the keyboard.
      protect: input.stage === 'production',
      removal: input.stage === 'production' ? 'retain' : 'remove',
      providers: { cloudflare: '6.15.0' },
    }
  },
  async run() {
    const { api } = await import('./infra/api.ts')
    await import('./infra/cron.ts')
    await import('./infra/consumer.ts')
    return { url: api.url }
  },
})
