import { TidegateError } from '@tidegate/core'
import type { MiddlewareHandler } from 'hono'

/** As they come in an address: escaped. */
const CONTROL = /%(?:[01][\da-f]|7f)/i

/** Refuses an address that holds a control character: no name of anything does, and Postgres takes no NUL. */
export const plainAddress: MiddlewareHandler = (c, next) => {
  const [found] = CONTROL.exec(c.req.url) ?? []
  if (found === undefined) return next()
  throw new TidegateError('invalid', `The address holds ${found}, a control character: nothing has one in its name.`)
}
