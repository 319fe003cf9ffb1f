import { z } from 'zod'

/** What every answer to a request says of where it comes from. */
export const origin = {
  /** The gateway that answered is Tidegate's simulator: the answer is made up. */
  simulated: z.boolean(),
}
