// What travels on a client's socket, read beside the provider that uses it: which of our edits each
// frame carries, and which of them the server has acknowledged.
//
// An edit counts as acknowledged only by the server's word for exactly that edit:
// - y-websocket has no ack of its own; the server echoes an update to its sender after the commit.
// - Hocuspocus answers every Step2 and Update frame with one SyncStatus, in order.

import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'

const messageSync = 0
const messageSyncStatus = 8
const syncStep1 = 0

/** Reads one frame: {type, sub, update} for sync, {type, status} for SyncStatus, else {type}. */
export function readFrame (kind, data) {
  if (kind !== 'yws' && data.length === 1) return { type: data[0] } // ping and pong carry no key
  const decoder = decoding.createDecoder(data)
  if (kind !== 'yws') decoding.readVarString(decoder)
  const type = decoding.readVarUint(decoder)
  if (type === messageSync) {
    const sub = decoding.readVarUint(decoder)
    const payload = decoding.readVarUint8Array(decoder)
    return { type, sub, update: sub === syncStep1 ? null : payload }
  }
  if (type === messageSyncStatus && kind !== 'yws') {
    return { type, status: decoding.readVarUint(decoder) }
  }
  return { type }
}

/** A message under a document's name, as Hocuspocus routes it. */
export const keyed = (note, message) => encoding.encode(e => {
  encoding.writeVarString(e, note)
  encoding.writeUint8Array(e, message)
})

/** The acknowledgements of one client, over all of its sockets. */
export class Acks {
  constructor (kind, doc) {
    this.kind = kind
    this.doc = doc
    this.clock = 0 // every struct of ours below it is acknowledged
    this.deletes = [] // {client, from, to, acked}: the deletions we wait for
    this.refused = 0
    this.surplus = 0 // SyncStatus frames that answer nothing
    this.unanswered = new WeakMap() // socket -> contents of frames sent and not yet answered
  }

  expectDelete (client, from, to) {
    const range = { client, from, to, acked: false }
    this.deletes.push(range)
    return range
  }

  sent (socket, frame) {
    if (frame.update === null || frame.update === undefined || this.kind === 'yws') return
    if (!this.unanswered.has(socket)) this.unanswered.set(socket, [])
    this.unanswered.get(socket).push(this.contents(frame.update))
  }

  received (socket, frame) {
    if (this.kind === 'yws') {
      if (frame.update) this.acknowledge(this.contents(frame.update))
      return
    }
    if (frame.status === undefined) return
    const waiting = this.unanswered.get(socket) ?? []
    if (waiting.length === 0) {
      this.surplus++
      return
    }
    const contents = waiting.shift()
    if (frame.status === 1) this.acknowledge(contents)
    else this.refused++
  }

  /** What an update says about our own structs and about deletions. */
  contents (update) {
    const { structs, ds } = Y.decodeUpdate(update)
    let clock = 0
    for (const s of structs) {
      if (s.id.client === this.doc.clientID && s.constructor.name !== 'Skip') {
        clock = Math.max(clock, s.id.clock + s.length)
      }
    }
    return { clock, ds }
  }

  acknowledge ({ clock, ds }) {
    this.clock = Math.max(this.clock, clock)
    for (const d of this.deletes) {
      const ranges = ds.clients.get(d.client) ?? []
      if (ranges.some(r => r.clock <= d.from && d.to <= r.clock + r.len)) d.acked = true
    }
    this.deletes = this.deletes.filter(d => !d.acked)
  }
}
