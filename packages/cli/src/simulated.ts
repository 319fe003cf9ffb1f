import { FAULTS, type FaultRow, type Faults, readFaults } from '@tidegate/simulator'
import { InvalidArgumentError, Option } from 'commander'

/** What a fault's flag takes, as its help shows it; a list where nothing else is said. */
const TAKES: Readonly<Record<string, (row: FaultRow) => string>> = {
  switch: () => '',
  count: () => ' <n>',
  choice: ({ words = [] }) => ` <${words.join('|')}>`,
  refusal: () => ' <times:code:text>',
}

/** One flag for each fault of the simulator: `hmds` is `--hmds silent`, `dropMidReply` is `--drop-mid-reply 2`. */
export function faultOptions(): Option[] {
  return FAULTS.map((row) => {
    const option = new Option(`${flagOf(row)}${TAKES[row.kind]?.(row) ?? ' <list>'}`, row.about).helpGroup('Faults:')
    return row.kind === 'switch' ? option : option.argParser((text) => read(row, text))
  })
}

/** The faults among a command's options. */
export function faultsOf(given: Readonly<Record<string, unknown>>): Partial<Faults> {
  const set = FAULTS.flatMap(({ name }) => {
    const key = keyOf(name)
    return key in given ? [[name, given[key]]] : []
  })
  return readFaults(Object.fromEntries(set))
}

/** What a fault is called among the options: a delay has been `--delay` for longer than there have been other faults. */
const keyOf = (name: string): string => (name === 'delayMs' ? 'delay' : name)

const flagOf = ({ name }: FaultRow): string =>
  `--${keyOf(name).replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`

/** Reads the value at once, so that a wrong one is a misused command line. */
function read({ name }: FaultRow, text: string): unknown {
  try {
    return readFaults({ [name]: text })[name]
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error))
  }
}
