import { TidegateError } from '@tidegate/core'
import ipaddr from 'ipaddr.js'

const MOST_CHARACTERS = 2048
/** Names that mean this machine or its own network, whatever they resolve to. */
const LOCAL_NAME = /^(localhost|[^.]+)$|\.(localhost|local|internal|intranet|lan|home\.arpa)$/
/** Azure answers here what its virtual machines may know: a public address by its range, and none in effect. */
const METADATA = new Set(['168.63.129.16'])
/** All of IPv6 that is given out to be reached from everywhere; the registries leave the rest open. */
const GLOBAL_IPV6 = ipaddr.parseCIDR('2000::/3')

/**
 * The URL of a webhook, checked by what it says; what its name resolves to is checked when the connection is made
 * (`isPublicAddress`). Throws `invalid` for one that is not HTTP, holds a password, or, unless `allowPrivate`, is an
 * address or a name within a private network: whoever can name webhooks must not reach what only this machine can.
 */
export function checkTarget(text: string, { allowPrivate }: { readonly allowPrivate: boolean }): URL {
  const url = text.length <= MOST_CHARACTERS && URL.canParse(text) ? new URL(text) : undefined
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new TidegateError('invalid', 'The URL of a webhook has to be one such as https://example.com/hook.')
  }
  if (url.username || url.password) {
    throw new TidegateError(
      'invalid',
      'The URL of a webhook must not hold a name or a password: what is posted is signed, check the signature instead.',
    )
  }
  if (!allowPrivate && !isPublicHost(url.hostname)) throw privateTarget(url.hostname)
  return url
}

/** Why an address or a name in a private network is refused, and what allows it. */
export function privateTarget(host: string): TidegateError {
  return new TidegateError(
    'invalid',
    `${host} is in a private network, where webhooks are not posted: set TIDEGATE_WEBHOOKS_PRIVATE=true to allow it.`,
  )
}

/**
 * Whether an IP address is one of the public internet by the registries that ipaddr.js holds: not private, loopback,
 * link-local (cloud metadata among them), unique-local, carrier-grade NAT, multicast or reserved. One that carries an
 * IPv4 address within (mapped, 6to4, NAT64, Teredo) is not, whatever it carries; except that a mapped one is what it maps.
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false
  const parsed = ipaddr.process(address)
  if (parsed.kind() === 'ipv6' && !parsed.match(GLOBAL_IPV6)) return false
  return parsed.range() === 'unicast' && !METADATA.has(parsed.toString())
}

/** `hostname` as a URL has it: an IPv6 address in brackets, an IPv4 address in its dotted form however it was written. */
function isPublicHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
  return ipaddr.isValid(host) ? isPublicAddress(host) : !LOCAL_NAME.test(host)
}
