import { mkdir, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import path from 'node:path'

/** Components ask SST's own program for things over HTTP; this answers in its place. */
export interface Engine {
  readonly url: string
  /** The handlers that were to be bundled, by the name of their Worker. */
  readonly built: ReadonlyMap<string, string>
  close(): void
}

interface Call {
  readonly method: string
  readonly params: readonly [{ readonly functionID?: string; readonly handler?: string }]
}

async function bodyOf(request: IncomingMessage): Promise<Call> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return JSON.parse(Buffer.concat(chunks).toString('utf8'))
}

/**
 * Starts the stand-in on loopback. A build gives an empty script: what is planned does not depend on the code,
 * and test/deploy bundles the real code.
 */
export async function startEngine(workDirectory: string): Promise<Engine> {
  const out = path.join(workDirectory, 'check')
  await mkdir(out, { recursive: true })
  await writeFile(path.join(out, 'worker.js'), 'export default {}\n')
  const built = new Map<string, string>()
  const server = createServer(async (request, response) => {
    const { method, params } = await bodyOf(request)
    const { functionID, handler } = params[0]
    if (method !== 'Runtime.Build' || functionID === undefined || handler === undefined) {
      response.end(JSON.stringify({ error: `rpc: can't find method ${method}` }))
      return
    }
    built.set(functionID, handler)
    response.end(JSON.stringify({ result: { handler: 'worker.js', out, errors: [] } }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The stand-in engine has no port.')
  return { url: `http://127.0.0.1:${address.port}`, built, close: () => server.close() }
}
