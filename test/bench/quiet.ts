import type { Log } from '@tidegate/ingest'

const nothing = () => {}
/** A log that nobody reads. */
export const quiet: Log & { debug: () => void } = { debug: nothing, info: nothing, warn: nothing, error: nothing }
