import type { FieldReader } from './fields.ts'
import type { Peer } from './peer.ts'
import { invalid } from './refusal.ts'

type Handler = (peer: Peer, reader: FieldReader) => void

/** A real request this simulator does not serve: refused in words, so that no client waits for ever. `skip` fields stand before the id. */
export function unsupported(what: string, skip: number): Handler {
  return (peer, reader) => {
    reader.skip(skip)
    const { code, message } = invalid(`${what} not supported by this simulator.`)
    peer.error(reader.reqId(), code, message)
  }
}

/** The cancel of a request that was never accepted. */
export function unknownTicker(skip: number): Handler {
  return (peer, reader) => {
    reader.skip(skip)
    const reqId = reader.reqId()
    peer.error(reqId, 300, `Can't find EId with tickerId:${reqId}`)
  }
}
