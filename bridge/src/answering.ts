import { toTidegateError } from '@tidegate/core'
import type { Asking } from './asking.ts'
import type { Answer, Kind, Prepared } from './kinds/kind.ts'
import type { Login } from './login.ts'
import type { Observer } from './observer.ts'
import type { Sharing } from './sharing.ts'

export interface Caller {
  /** The relay's id of the request, for the log. */
  readonly requestId: string
  /** Aborted when the caller hangs up. */
  readonly signal: AbortSignal
}

/** Asks a prepared request and brings its answer; identical ones share it. */
export type Ask = (kind: Kind, prepared: Prepared, caller: Caller) => Promise<Answer>

/** The one way from a request to its answer, whether it came over HTTP or the socket. */
export function createAnswering(parts: {
  sharing: Sharing<Answer>
  asking: Asking
  login: Login
  observer: Observer
}): Ask {
  const { sharing, asking, login, observer } = parts
  return async ({ name, need }, { identity, isFresh, job, told, ask }, { requestId, signal: hungUp }) => {
    const span = observer.begin(requestId, name)
    const obstacle = () => login.obstacle(need)
    try {
      const sharer = { priority: job.priority, waitMs: job.waitMs, isFresh, signal: hungUp }
      const answer = await sharing.share(identity, sharer, (signal, turn) =>
        asking.ask({ ...job, signal, obstacle, turn }, () => {
          span.went()
          return login.ask(need, (connection) => {
            span.named(connection.nextId)
            return ask(connection, signal)
          })
        }),
      )
      span.answered({ ...told, ...answer.told }, answer.empty)
      return answer
    } catch (cause) {
      const error = toTidegateError(cause)
      span.failed(error, told)
      throw error
    }
  }
}
