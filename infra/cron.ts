import { worker } from './worker.ts'

/** Calls `scheduled` every minute. A tick with nothing due is one query, and two ticks never ask for the same window. */
export const cron = new sst.cloudflare.Cron('Tick', { worker, schedules: ['* * * * *'] })
