/** A gateway whose account begins so is Tidegate's simulator: no real account does. */
const SIMULATED_PREFIX = 'SIM'
/** Account numbers as IBKR gives them: U, F and I, each with a D before it for paper, then digits. */
const ACCOUNT = /\b(?:D?[UFI]|SIM)\d{5,12}\b/g

export function isSimulated(account: string): boolean {
  return account.startsWith(SIMULATED_PREFIX)
}

/** `DU*****67`: enough to tell accounts apart, not to name one. */
export function masked(account: string): string {
  const prefix = /^[A-Z]*/.exec(account)?.[0] ?? ''
  const rest = account.slice(prefix.length)
  return `${prefix}${'*'.repeat(Math.max(0, rest.length - 2))}${rest.slice(-2)}`
}

/** A text of the gateway with every account number in it masked. */
export function maskedText(text: string): string {
  return text.replace(ACCOUNT, masked)
}

/** Paper accounts begin with D (DU, DF); the simulator's stand for paper. */
export function modeOf(account: string | undefined): 'paper' | 'live' | 'unknown' {
  if (account === undefined) return 'unknown'
  return account.startsWith('D') || isSimulated(account) ? 'paper' : 'live'
}
