import type { Problem } from '@tidegate/ingest'

/** More of them say no more. */
const MOST_TOLD = 10

/** What can't be had, a line each, the dataset's name before it where there is one; empty where there is nothing. */
export function problemsText(problems: readonly Problem[]): string {
  const lines = problems.slice(0, MOST_TOLD).map(({ dataset, instrument, spec, error }) => {
    const what = `${instrument}${spec === undefined ? '' : ` ${spec}`}`
    // What was not found is named by its own message.
    const said = error.message.startsWith(`${instrument.toUpperCase()}: `) ? error.message : `${what}: ${error.message}`
    return `${dataset === undefined ? '' : `${dataset}: `}${said}\n`
  })
  const more = problems.length - lines.length
  return `${lines.join('')}${more > 0 ? `and ${more} more problems\n` : ''}`
}
