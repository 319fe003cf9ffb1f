import type { Context } from './context.ts'

const REFUSED = 1
const MISUSED = 2
const INTERRUPTED = 130

/**
 * Asks before something is changed. Undefined where it may be: `yes` was said before, or is now; else the exit status, and it
 * was said that nothing was changed. Where nobody can be asked (no terminal: a pipe, a scheduler, CI) silence is no consent.
 */
export async function refusal(
  { ask, out, err, signal }: Pick<Context, 'ask' | 'out' | 'err' | 'signal'>,
  { question, yes }: { readonly question: string; readonly yes: boolean },
): Promise<number | undefined> {
  if (yes) return undefined
  if (!ask) {
    err('tidegate: Nothing was changed: there is no terminal to ask at. Say --yes to do it without being asked.\n')
    return MISUSED
  }
  if (await ask(`${question} [y/N] `)) return undefined
  out('Nothing was changed.\n')
  return signal.aborted ? INTERRUPTED : REFUSED
}
