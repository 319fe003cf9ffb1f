import { linkSecret } from './link.ts'
import { secrets } from './secrets.ts'

/** The bridge runs elsewhere, beside its gateway: what a Worker needs to know is where, and the key. */
export const bridge = [
  linkSecret('BRIDGE_URL', secrets.bridgeUrl),
  linkSecret('BRIDGE_KEY', secrets.bridgeKey),
  linkSecret('BRIDGES', secrets.bridges),
]
