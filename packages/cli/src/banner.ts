/** Lines in a box, not to be overlooked. */
export function boxed(lines: readonly string[]): string {
  const width = Math.max(...lines.map((line) => line.length))
  const row = (line: string) => `║  ${line.padEnd(width)}  ║`
  const edge = '═'.repeat(width + 4)
  return [`╔${edge}╗`, ...lines.map(row), `╚${edge}╝`, ''].join('\n')
}

/** Said wherever made-up data are about to be stored or shown. No line is wider than the narrowest terminal. */
export const SIMULATED_BANNER = boxed([
  'SIMULATED DATA',
  '',
  'Every price here is made up by the simulator: none is real market data.',
  'For real data set IBKR_HOST (and IBKR_PORT) to your IB Gateway or TWS.',
])
