/**
 * What the functions read that is no secret, from the environment of whoever deploys (SST loads `.env`, and `.env.STAGE`
 * over it). A setting is passed on only when it is set, so that defaults live in the code alone.
 */
const NAMES = [
  'IBKR_USE_RTH',
  'IBKR_RATE_LIMIT',
  'IBKR_SPANS',
  'IBKR_ANSWER_TIME',
  'TIDEGATE_WEBHOOKS_PRIVATE',
  'DATABASE_HTTP_ENDPOINT',
] as const

type Environment = Readonly<Record<string, string | undefined>>

/** Those of the settings that are set. */
export function settingsIn(env: Environment): Record<string, string> {
  return Object.fromEntries(
    NAMES.flatMap((name) => {
      const value = env[name]
      return value ? [[name, value]] : []
    }),
  )
}
