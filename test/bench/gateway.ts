/**
 * A gateway for benchmarks, in a process of its own: it says hello and answers every historical request with the same
 * bars, printed once, so that what is measured is its client. `node gateway.ts BARS` prints its port. For anything
 * but speed there is the simulator.
 */
import { createServer, type Socket } from 'node:net'

const SERVER_VERSION = 176
const bars = Number(process.argv[2])
const startSec = Date.UTC(2024, 0, 1) / 1000

const rows = Array.from({ length: bars }, (_, i) => {
  const open = (254.2 + (i % 977) / 100).toFixed(2)
  return [startSec + i * 60, open, '271.33', '250.07', open, 100 + (i % 1013), '256.125', 1 + (i % 17)].join('\0')
})
const body = Buffer.from(`20240101-00:00:00\0${'20240201-00:00:00'}\0${bars}\0${rows.join('\0')}\0`)

function frame(...parts: Buffer[]): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(parts.reduce((sum, part) => sum + part.length, 0))
  return Buffer.concat([length, ...parts])
}

const message = (...fields: (string | number)[]) => frame(Buffer.from(`${fields.join('\0')}\0`))

function answer(socket: Socket, fields: readonly string[]): void {
  switch (fields[0]) {
    case '71':
      socket.write(message(15, 1, 'SIM0000001'))
      socket.write(message(9, 1, 1))
      socket.write(message(4, 2, -1, 2106, 'HMDS data farm connection is OK:ushmds', ''))
      break
    case '49':
      socket.write(message(49, 1, Math.floor(Date.now() / 1000)))
      break
    case '20':
      socket.write(frame(Buffer.from(`17\0${fields[1]}\0`), body))
  }
}

const server = createServer((socket) => {
  let held = Buffer.alloc(0)
  let greeted = false
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  socket.on('data', (bytes: Buffer) => {
    held = Buffer.concat([held, bytes])
    if (!greeted) {
      if (held.length < 8 || held.length < 8 + held.readUInt32BE(4)) return
      held = held.subarray(8 + held.readUInt32BE(4))
      greeted = true
      socket.write(message(SERVER_VERSION, '20260101 00:00:00 UTC'))
    }
    while (held.length >= 4 && held.length >= 4 + held.readUInt32BE(0)) {
      const end = 4 + held.readUInt32BE(0)
      answer(socket, held.toString('latin1', 4, end).split('\0'))
      held = held.subarray(end)
    }
  })
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  console.log(typeof address === 'object' && address ? address.port : '')
})
