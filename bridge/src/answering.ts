import type { Answer, Kind, Prepared } from './kinds/kind.ts'
import type { Login } from './login.ts'
import type { Pacing } from './pacing.ts'
import type { Sharing } from './sharing.ts'

/** Asks a prepared request and brings its answer; identical ones share it. Aborting the signal hangs up. */
export type Ask = (kind: Kind, prepared: Prepared, signal: AbortSignal) => Promise<Answer>

/** The one way from a request to its answer, whether it came over HTTP or the socket. */
export function createAnswering(parts: { sharing: Sharing<Answer>; pacing: Pacing; login: Login }): Ask {
  const { sharing, pacing, login } = parts
  return ({ need }, { identity, job, ask }, caller) =>
    sharing.share(identity, caller, (signal) =>
      pacing.run({ ...job, signal }, () => login.ask(need, (connection) => ask(connection, signal))),
    )
}
