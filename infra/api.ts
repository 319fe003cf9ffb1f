import { worker } from './worker.ts'

/** The HTTP interface, the only one with an address. */
export const api = new sst.cloudflare.Worker('Api', { ...worker, url: true })
