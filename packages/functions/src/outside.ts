import { lookup as lookUp } from 'node:dns'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { TidegateError } from '@tidegate/core'
import { isPublicAddress, privateTarget } from '@tidegate/ingest'

/** What a `Response` can have: neither 101, after which nothing comes, nor what somebody has made up. */
const [FIRST_STATUS, LAST_STATUS] = [200, 599]

export interface OutsideOptions {
  /** Whether addresses in private networks may be connected to. */
  readonly allowPrivate: boolean
  /** Everything under way ends with it. */
  readonly until?: AbortSignal
  /** Resolves names. Default: the system's resolver. */
  readonly lookup?: typeof lookUp
}

/**
 * A `fetch` for addresses that somebody else has chosen: it connects to an address of the public internet or to none. Names
 * are resolved once, every address they have is checked, and the connection goes to one of those, so that a name which
 * means something else a moment later gains nothing. No redirect is followed, no connection is kept, and of an answer there
 * is the status alone. Rejects with `invalid` for a private address.
 */
export function createOutsideFetch({
  allowPrivate,
  until,
  lookup = lookUp,
}: OutsideOptions): (request: Request) => Promise<Response> {
  const guarded: LookupFunction = (hostname, options, done) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return done(error, [])
      const refused = allowPrivate ? undefined : addresses.find(({ address }) => !isPublicAddress(address))
      if (refused) return done(new Error('refused', { cause: privateTarget(`${hostname} (${refused.address})`) }), [])
      if (options.all) return done(null, addresses)
      const [first] = addresses
      return first ? done(null, first.address, first.family) : done(new Error(`${hostname} has no address.`), [])
    })
  }

  return async (request) => {
    const url = new URL(request.url)
    const host = url.hostname.replace(/^\[|\]$/g, '')
    // An address is connected to without being looked up.
    if (!allowPrivate && isIP(host) !== 0 && !isPublicAddress(host)) throw privateTarget(host)
    const body = Buffer.from(await request.arrayBuffer())
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const options = {
        method: request.method,
        headers: { ...Object.fromEntries(request.headers), 'content-length': body.length },
        lookup: guarded,
        agent: false,
        signal: until ? AbortSignal.any([request.signal, until]) : request.signal,
      }
      send(url, options, resolve)
        .on('error', (error) => reject(error.cause instanceof TidegateError ? error.cause : error))
        .on('upgrade', (answer, socket) => {
          socket.destroy()
          resolve(answer)
        })
        // Whatever else may end it: what is neither answered nor refused would be waited for without end.
        .on('close', () => reject(new Error('The connection was closed without an answer.')))
        .end(body)
    })
    answer.destroy()
    const { statusCode = 0 } = answer
    if (statusCode < FIRST_STATUS || statusCode > LAST_STATUS) {
      throw new TidegateError('invalid', `It answered ${statusCode}, which is no answer.`)
    }
    return new Response(null, { status: statusCode })
  }
}
