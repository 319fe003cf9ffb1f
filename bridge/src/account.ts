/** A gateway whose account begins so is Tidegate's simulator: no real account does. */
const SIMULATED_PREFIX = 'SIM'

export function isSimulated(account: string): boolean {
  return account.startsWith(SIMULATED_PREFIX)
}

/** `DU*****67`: enough to tell accounts apart, not to name one. */
export function masked(account: string): string {
  const prefix = /^[A-Z]*/.exec(account)?.[0] ?? ''
  const rest = account.slice(prefix.length)
  return `${prefix}${'*'.repeat(Math.max(0, rest.length - 2))}${rest.slice(-2)}`
}

/** Paper accounts begin with D (DU, DF); the simulator's stand for paper. */
export function modeOf(account: string | undefined): 'paper' | 'live' | 'unknown' {
  if (account === undefined) return 'unknown'
  return account.startsWith('D') || isSimulated(account) ? 'paper' : 'live'
}
