import { formatInstant, TidegateError } from '@tidegate/core'
import type { Store } from '@tidegate/db'
import { Hono } from 'hono'
import { z } from 'zod'
import { type KeysAnswer, keyAnswer, type NewKeyAnswer } from '../answers/telling.ts'
import { bodyOf } from '../check.ts'
import { mintKey, type RandomBytes } from '../mint.ts'
import { text } from '../request.ts'
import { SCOPES } from '../scopes.ts'

const NAMED = 'expected a name of 1 to 64 characters'
const SCOPED = `expected some of ${SCOPES.join(', ')}`
const ID = /^[0-9a-f]{12}$/

const schema = z.strictObject({
  name: text(NAMED),
  scopes: z.array(z.enum(SCOPES, { error: SCOPED }), { error: SCOPED }).min(1, SCOPED),
})

/** Keys of this interface: made, listed and revoked. A key is shown once, when it is made. */
export function keyRoutes({ store, bytes, now }: { store: Store; bytes: RandomBytes; now: () => number }): Hono {
  const routes = new Hono()

  routes.post('/keys', async (c) => {
    const { name, scopes } = await bodyOf(c, schema)
    const { id, key, hash } = await mintKey(bytes)
    const made = {
      id,
      name,
      scopes: SCOPES.filter((scope) => scopes.includes(scope)),
      createdAt: Math.floor(now() / 1000),
    }
    await store.putKey({ ...made, hash })
    return c.json<NewKeyAnswer>({ ...made, createdAt: formatInstant(made.createdAt), revokedAt: null, key }, 201)
  })

  routes.get('/keys', async (c) => c.json<KeysAnswer>({ keys: (await store.apiKeys()).map(keyAnswer) }))

  routes.delete('/keys/:id', async (c) => {
    const id = c.req.param('id')
    if (!ID.test(id) || !(await store.revokeKey(id, Math.floor(now() / 1000)))) {
      throw new TidegateError('not-found', `There is no key "${id.slice(0, 64)}".`)
    }
    return c.json({ revoked: id })
  })

  return routes
}
