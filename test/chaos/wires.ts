import { createHash } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'

/** Turns of the event loop in a row in which nothing may be under way. */
const STILL_TURNS = 2
/** What has not moved for so many turns and so long, in real time, is not coming: a peer that reads nothing, for one. */
const STUCK = { turns: 1000, ms: 250 }

/** What goes on in this process beside its own code: sockets whose both ends are in it. Hashes are made at once meanwhile. */
export interface Wires {
  /** Resolves once no byte is on its way and nothing waits for its turn on the event loop: only time can bring anything new. */
  still(): Promise<void>
  /** Cuts every connection to a port, as the death of the process that made them does; what is only being made is cut too. */
  cut(port: number): void
  end(): void
}

export function watchWires(): Wires {
  const clients = new Set<Socket>()
  const servers = new Set<Socket>()
  const onClient = (message: unknown) => add(clients, (message as { socket: Socket }).socket)
  const onServer = (message: unknown) => add(servers, (message as { socket: Socket }).socket)
  const { subtle } = crypto
  subscribe('net.client.socket', onClient)
  subscribe('net.server.socket', onServer)

  // Made by another thread, a hash would be there now sooner and now later than what else happens.
  subtle.digest = async (_, data) => {
    const bytes = ArrayBuffer.isView(data)
      ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      : new Uint8Array(data)
    return Uint8Array.from(createHash('sha256').update(bytes).digest()).buffer
  }

  function add(to: Set<Socket>, socket: Socket): void {
    to.add(socket)
    socket.once('close', () => to.delete(socket))
  }

  /** What has moved so far, and whether all of it has arrived. */
  function look(): { readonly moved: number; readonly arrived: boolean } {
    let moved = 0
    let arrived = true
    const ends = new Map([...servers].map((socket) => [socket.remotePort, socket]))
    for (const client of clients) {
      const server = ends.get(client.localPort)
      if (client.connecting || client.destroyed || !server || server.destroyed) arrived = false
      else if (client.bytesWritten !== server.bytesRead || server.bytesWritten !== client.bytesRead) arrived = false
      moved += client.bytesRead + (server?.bytesRead ?? 0)
      ends.delete(client.localPort)
    }
    return { moved, arrived: arrived && ends.size === 0 }
  }

  return {
    async still() {
      let turns = 0
      let last = -1
      let unmoved = 0
      let movedAtMs = performance.now()
      while (turns < STILL_TURNS) {
        await new Promise(setImmediate)
        const { moved, arrived } = look()
        unmoved++
        if (moved !== last) {
          unmoved = 0
          movedAtMs = performance.now()
        }
        const isIdle = arrived && moved === last && !process.getActiveResourcesInfo().includes('Immediate')
        last = moved
        turns = isIdle ? turns + 1 : 0
        if (unmoved > STUCK.turns && performance.now() - movedAtMs > STUCK.ms) return
      }
    },
    cut(port) {
      for (const client of clients) if (client.connecting || client.remotePort === port) client.destroy()
    },
    end() {
      Reflect.deleteProperty(subtle, 'digest')
      unsubscribe('net.client.socket', onClient)
      unsubscribe('net.server.socket', onServer)
    },
  }
}
