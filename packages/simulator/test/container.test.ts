import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { RawClient } from './wire-client.ts'

const ENTRY = path.resolve(import.meta.dirname, '../../../docker/simulator.ts')

async function freePort(): Promise<number> {
  const server = createServer().listen(0)
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}

/** The program with these ports: its first line, and how it ends. */
function start(ports: string) {
  const program = spawn(process.execPath, [ENTRY], { env: { SIMULATOR_PORTS: ports } })
  const output: Promise<string> = once(program.stdout, 'data').then(([data]) => String(data))
  const errors: Promise<string> = once(program.stderr, 'data').then(([data]) => String(data))
  const ended: Promise<unknown[]> = once(program, 'exit')
  return { program, output, errors, ended }
}

describe('the container', () => {
  it('serves every port and closes on SIGTERM', async () => {
    const [one, two] = [await freePort(), await freePort()]
    const { program, output, ended } = start(`${one},${two}`)
    expect(await output).toBe(`Simulated gateway, no real market data: listening on 0.0.0.0, ports ${one}, ${two}.\n`)
    for (const port of [one, two]) {
      const client = await RawClient.start(port, 193)
      client.end()
    }
    program.kill('SIGTERM')
    expect(await ended).toEqual([0, null])
  })

  it('ends with status 1 where a port is none, or taken', async () => {
    const wrong = start('4003,http')
    expect(await wrong.errors).toContain('SIMULATOR_PORTS is "4003,http"; expected ports between 1 and 65535')
    expect(await wrong.ended).toEqual([1, null])
    const port = await freePort()
    const twice = start(`${port},${port}`)
    expect(await twice.errors).toContain(`Port ${port} on 0.0.0.0 is already in use`)
    expect(await twice.ended).toEqual([1, null])
  })
})
