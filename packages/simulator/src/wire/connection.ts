import type { Socket } from 'node:net'
import { farmNotices, noticeText } from '../events.ts'
import { MAX_BREACHES, MAX_MESSAGES_PER_SECOND } from '../judge/messages.ts'
import { sendAccounts, sendNextId } from './account.ts'
import { hms, ymd } from './dates.ts'
import { errorMessage } from './encode.ts'
import { FieldError, FieldReader } from './fields.ts'
import { ByteQueue, FramingError, frame, nextFrame, splitFields } from './frames.ts'
import type { Gateway } from './gateway.ts'
import { negotiate, readGreeting } from './handshake.ts'
import { intercept } from './intercept.ts'
import { createLive } from './live.ts'
import { Outbox } from './outbox.ts'
import type { OpenRequest, Peer } from './peer.ts'
import { handle } from './requests.ts'

const START_API = 71
/** Live data is not kept for a client beyond so many messages. */
const MAX_WAITING = 5000
const CLIENT_ID_IN_USE = 'Unable to connect as the client id is already in use. Retry with a unique client id.'

/**
 * Serves one client from its greeting to its end. What breaks the framing closes the connection; what comes
 * between greeting and startApi is recorded and otherwise ignored, as TWS does; what fails while it is answered
 * is logged and answered by an error.
 */
export function serve(socket: Socket, gateway: Gateway): void {
  const connection = new Connection(socket, gateway)
  socket.setNoDelay(true)
  socket.on('data', (chunk: Buffer) => connection.receive(chunk))
  socket.on('error', (error) => gateway.log('A connection broke.', error))
  socket.once('close', () => connection.closed())
}

let connections = 0

class Connection implements Peer {
  readonly serial = ++connections
  readonly gateway: Gateway
  readonly open = new Map<number, OpenRequest>()
  readonly live = createLive()
  readonly #socket: Socket
  readonly #queue = new ByteQueue()
  readonly #outbox: Outbox
  #version = 0
  #paced = false
  #clientId: number | undefined
  #over = false
  /** A peer that has fallen silent does not come back to life: what it missed is gone. */
  #mute = false

  constructor(socket: Socket, gateway: Gateway) {
    this.gateway = gateway
    this.#socket = socket
    this.#outbox = new Outbox(
      socket,
      {
        delayMs: () => gateway.faults.delayMs,
        framing: () => gateway.faults.frames,
        isMute: () => this.#isMute(),
      },
      (error) => gateway.log('A reply failed.', error),
    )
  }

  get version(): number {
    return this.#version
  }

  receive(chunk: Buffer): void {
    if (this.#over || this.#isMute()) return
    this.#queue.push(chunk)
    try {
      if (this.#version === 0 && !this.#greet()) return
      for (let payload = nextFrame(this.#queue); payload && !this.#over; payload = nextFrame(this.#queue)) {
        this.#message(splitFields(payload))
      }
    } catch (error) {
      if (!(error instanceof FramingError)) this.gateway.log('A connection failed in the simulator.', error)
      else this.gateway.log(`A connection was closed: ${error.message}`)
      this.#over = true
      this.#socket.destroy()
    }
  }

  closed(): void {
    this.#over = true
    this.live.stopAll()
    const { judge, peers } = this.gateway
    for (const request of this.open.values()) {
      request.cancelled = true
      judge.ended(request.key)
    }
    judge.disconnected(this.serial)
    peers.delete(this)
    if (this.#clientId !== undefined) this.gateway.clientIds.delete(this.#clientId)
  }

  isBehind(): boolean {
    return this.#outbox.waiting > MAX_WAITING
  }

  send(fields: readonly (string | number)[]): void {
    this.#outbox.send(frame(fields))
  }

  error(reqId: number, code: number, text: string): void {
    this.#outbox.send(this.errorBytes(reqId, code, text))
  }

  errorBytes(reqId: number, code: number, text: string): Buffer {
    return errorMessage(this.#version, reqId, code, text, this.gateway.now())
  }

  reply(reply: () => Promise<Buffer | undefined> | Buffer | undefined): void {
    this.#outbox.push(reply)
  }

  breakOff(bytes: Buffer): void {
    this.#over = true
    this.#outbox.breakOff(bytes)
  }

  /** Answers the greeting; false until it is complete, or where no version suits both. */
  #greet(): boolean {
    const greeting = readGreeting(this.#queue)
    if (!greeting) return false
    const version = negotiate(greeting, this.gateway.serverVersion)
    if (version === undefined) {
      // No version is agreed on, so the oldest form serves: clients take its first field for a version too low.
      this.#end(frame([4, 2, -1, 506, `Unsupported version: v${greeting.minVersion}..${greeting.maxVersion}`]))
      return false
    }
    this.#version = version
    this.#paced = greeting.options.includes('+PACEAPI')
    const sec = Math.floor(this.gateway.now() / 1000)
    this.#outbox.send(frame([version, `${ymd(sec)} ${hms(sec)} Coordinated Universal Time`]))
    return true
  }

  #message(fields: readonly string[]): void {
    const messageId = /^\d{1,9}$/.test(fields[0] ?? '') ? Number(fields[0]) : -1
    this.gateway.record({ atMs: this.gateway.now(), clientId: this.#clientId, messageId, fields })
    const reader = new FieldReader(fields, 1)
    if (this.#clientId === undefined) {
      if (messageId === START_API) this.#start(reader)
      return
    }
    if (this.#tooFast()) return
    try {
      if (!intercept(this, messageId, fields)) handle(this, messageId, reader)
    } catch (error) {
      this.#failed(messageId, reader, error)
    }
  }

  #start(reader: FieldReader): void {
    reader.skip(1)
    const text = reader.text()
    const clientId = Number(text)
    const { faults } = this.gateway
    if (!/^-?\d{1,10}$/.test(text)) {
      this.#end(this.errorBytes(-1, 320, `Error reading request:Message id ${START_API}.  Unable to parse data.`))
    } else if (this.gateway.clientIds.has(clientId) || faults.heldIds.includes(clientId)) {
      this.#end(this.errorBytes(-1, 326, CLIENT_ID_IN_USE))
    } else {
      this.#clientId = clientId
      this.gateway.clientIds.add(clientId)
      sendAccounts(this)
      sendNextId(this)
      this.gateway.peers.add(this)
      for (const code of farmNotices(faults)) this.error(-1, code, noticeText(code))
    }
  }

  /** Judges the message rate. A message over it is dropped; a client that let TWS pace it (`+PACEAPI`) is not judged. */
  #tooFast(): boolean {
    const { judge, now, violated } = this.gateway
    const violation = this.#paced ? undefined : judge.message(now(), this.serial, performance.now())
    if (!violation) return false
    violated(violation)
    const breach = violation.breaches
    const max = MAX_MESSAGES_PER_SECOND
    const text = `Max rate of messages per second has been exceeded:max=${max} rec=${max + 1} (${breach})`
    const bytes = this.errorBytes(-1, 100, text)
    if (breach < MAX_BREACHES) this.#outbox.send(bytes)
    else this.#end(bytes)
    return true
  }

  #failed(messageId: number, reader: FieldReader, error: unknown): void {
    if (error instanceof FieldError) {
      this.error(reader.requestId, 320, `Error reading request:Message id ${messageId}.  ${error.message}`)
      return
    }
    this.gateway.log(`Message ${messageId} failed in the simulator.`, error)
    this.error(reader.requestId, 322, "Error processing request.-'bK' : cause - The simulator failed; see its log.")
  }

  #isMute(): boolean {
    const { halfOpen, loggedOut } = this.gateway.faults
    // Whoever was connected when a login expired was cut off then: silence meets the newcomers.
    this.#mute ||= halfOpen || (loggedOut === 'silent' && this.#version === 0)
    return this.#mute
  }

  #end(bytes: Buffer): void {
    this.#over = true
    this.#outbox.end(bytes)
  }
}
