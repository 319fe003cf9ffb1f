import type { DeliveryAnswer, WebhooksAnswer } from '@tidegate/functions'
import type { Context } from '../context.ts'
import { jsonText } from '../json.ts'
import { type Column, instantCell, tableOf } from '../table.ts'
import { withDeclared, withStored } from '../target.ts'

const COLUMNS: readonly Column[] = [
  { head: 'id' },
  { head: 'url' },
  { head: 'events', spare: 1 },
  { head: 'told', align: 'right' },
  { head: 'waiting', align: 'right' },
  { head: 'given up', align: 'right' },
  { head: 'last', spare: 2 },
]

interface Options {
  readonly verbose: boolean
}

/** Adds a webhook and prints its secret: that alone to standard output, what there is to say of it to standard error. */
export function runAddWebhook(
  context: Context,
  { url, events, verbose }: Options & { readonly url: string; readonly events: readonly string[] },
): Promise<number> {
  return withDeclared(context, verbose, async (client) => {
    const { id, secret } = await client.addWebhook({ url, events })
    context.err(`${id} is told of ${events.join(', ')}. The secret that signs them is shown this once:\n`)
    context.out(`${secret}\n`)
    return 0
  })
}

/** Lists the webhooks and what became of what they were told. */
export function runWebhooks(
  context: Context,
  { json, verbose }: Options & { readonly json: boolean },
): Promise<number> {
  return withStored(context, verbose, async (client) => {
    const webhooks = await client.webhooks()
    context.out(json ? jsonText(webhooks) : webhooksText(webhooks, context.columns))
    return 0
  })
}

/** Posts a test to a webhook, and says what came of it. Status 1 when it was not taken. */
export function runTestWebhook(context: Context, id: string, { verbose }: Options): Promise<number> {
  return withStored(context, verbose, async (client) => {
    const delivery = await client.testWebhook(id)
    const isTold = delivery.state === 'delivered'
    if (isTold) context.out(`${id} took the test.\n`)
    else context.err(`${id} did not take the test. ${delivery.error ?? 'Somebody else is posting it.'}\n`)
    return isTold ? 0 : 1
  })
}

export function runRemoveWebhook(context: Context, id: string, { verbose }: Options): Promise<number> {
  return withStored(context, verbose, async (client) => {
    await client.removeWebhook(id)
    context.out(`${id} is removed: it is told nothing more.\n`)
    return 0
  })
}

function webhooksText({ webhooks }: WebhooksAnswer, width: number | undefined): string {
  if (webhooks.length === 0) return 'Nobody is told of anything yet: tidegate webhooks add URL.\n'
  const rows = webhooks.map(({ id, url, events, disabledAt, deliveries, last }) => {
    const { delivered, waiting, givenUp } = deliveries
    const state = disabledAt === null ? lastText(last) : `gone since ${instantCell(disabledAt)}`
    return [id, url, events.join(', '), delivered, waiting, givenUp, state]
  })
  return tableOf(COLUMNS, rows, width)
}

function lastText(last: DeliveryAnswer | null): string {
  if (!last) return '–'
  const error = last.state !== 'delivered' && last.error ? `: ${last.error}` : ''
  return `${instantCell(last.createdAt)} ${last.type} ${last.state}${error}`
}
