// One Yjs client on one note: a stock provider over a socket that is watched, and the few things a
// test asks of it. Every wait is for an event and has a deadline.

import { EventEmitter } from 'node:events'
import WebSocket from 'ws'
import * as Y from 'yjs'
import { openProvider } from './providers.mjs'
import { Acks, keyed, readFrame } from './wire.mjs'
import { blocks, plain } from './note.mjs'

/** Where nobody listens. */
const nowhere = 'ws://127.0.0.1:1'

export class Client {
  constructor (args) {
    this.args = args
    this.kind = args.kind
    this.doc = new Y.Doc()
    if (args.clientID) this.doc.clientID = args.clientID
    this.acks = new Acks(this.kind, this.doc)
    this.stats = { opens: 0, closes: [], errors: [], denied: [], gaveUp: false }
    this.held = null // frames kept back while a test plays a slow network
    this.away = false // cut off: every attempt to connect fails
    this.sockets = new Set()
    this.typist = null
    this.events = new EventEmitter()
    this.events.setMaxListeners(0)
    this.doc.on('update', () => this.changed())
    this.provider = openProvider(this)
    this.provider.awareness.on('change', () => this.changed())
  }

  changed () { this.events.emit('changed') }

  /** The headers of a socket. y-websocket has no message for a token, and addresses are logged. */
  headers () {
    const { headers = {}, token } = this.args
    return token && this.kind === 'yws' ? { Authorization: `Bearer ${token}`, ...headers } : headers
  }

  /** The WebSocket class for this client's provider. */
  socketClass () {
    const client = this
    return class extends WebSocket {
      constructor (url, protocols) {
        super(client.away ? nowhere : url, protocols ?? [], { headers: client.headers() })
        client.sockets.add(this)
        this.on('open', () => { client.stats.opens++; client.changed() })
        this.on('message', data => client.received(this, data))
        this.on('close', (code, reason) => {
          client.sockets.delete(this)
          client.stats.closes.push({ code, reason: reason.toString() })
          client.changed()
        })
        this.on('error', err => { client.stats.errors.push(err.message); client.changed() })
      }

      send (data) {
        // Edits alone are held: a pong or a renewed presence between them would be counted as one.
        const edit = readFrame(client.kind, new Uint8Array(data)).update
        if (client.held === null || !edit) return client.transmit(this, data)
        client.held.push({ socket: this, data })
      }

      transmit (data) { super.send(data) }
    }
  }

  transmit (socket, data) {
    this.acks.sent(socket, readFrame(this.kind, new Uint8Array(data)))
    socket.transmit(data)
  }

  /** Says something beside the provider, which does not know of it. */
  inject (message) {
    const socket = [...this.sockets].find(s => s.readyState === WebSocket.OPEN)
    socket?.transmit(this.kind === 'yws' ? message : keyed(this.args.note, message)) // none: cut off already
  }

  received (socket, data) {
    const bytes = new Uint8Array(data)
    this.acks.received(socket, readFrame(this.kind, bytes))
    // The provider reads the frame after us; tell the waiters when it has.
    queueMicrotask(() => this.changed())
  }

  /**
   * Pulls the cable. A provider's own disconnect is no substitute: version 3 of
   * Hocuspocus's comes back by itself if it was waiting to reconnect.
   */
  leave () {
    this.away = true
    for (const socket of this.sockets) socket.terminate()
  }

  /** Plugs it in again; the provider finds its way back by itself. */
  comeBack () { this.away = false }

  /** Keeps outgoing frames back until release lets them go. */
  hold () { this.held ??= [] }

  release (count = Infinity) {
    for (let i = 0; i < count && this.held.length > 0; i++) {
      const { socket, data } = this.held.shift()
      if (socket.readyState === WebSocket.OPEN) this.transmit(socket, data)
    }
  }

  unhold () {
    this.release()
    this.held = null
  }

  /** Resolves with pred's first truthy value; rejects with a description after ms. */
  until (what, pred, ms) {
    return new Promise((resolve, reject) => {
      const finish = (settle, value) => {
        clearTimeout(timer)
        this.events.off('changed', check)
        settle(value)
      }
      const check = () => {
        const value = pred()
        if (value) finish(resolve, value)
      }
      const timer = setTimeout(() => {
        finish(reject, new Error(`${what}: not within ${ms} ms; ${JSON.stringify(this.describe())}`))
      }, ms)
      this.events.on('changed', check)
      check()
    })
  }

  describe () {
    return {
      kind: this.kind,
      synced: this.provider.synced,
      unsynced: this.unsynced(),
      ackedClock: this.acks.clock,
      ownClock: Y.getState(this.doc.store, this.doc.clientID),
      text: this.text().slice(-120),
      blocks: blocks(this.doc).length,
      progress: this.typist?.progress() ?? 0,
      ...this.stats
    }
  }

  text () { return blocks(this.doc).map(plain).join('\n') }

  /** Edits the client cannot know to be safe; y-websocket keeps no count, so ours counts for it. */
  unsynced () {
    if (this.kind !== 'yws') return this.provider.unsyncedChanges
    return Y.getState(this.doc.store, this.doc.clientID) - this.acks.clock + this.acks.deletes.length
  }

  state () {
    return {
      clientID: this.doc.clientID,
      text: this.text(),
      xml: this.doc.getXmlFragment('default').toString(),
      sv: Buffer.from(Y.encodeStateVector(this.doc)).toString('base64'),
      update: Buffer.from(Y.encodeStateAsUpdate(this.doc)).toString('base64'),
      pending: this.doc.store.pendingStructs !== null || this.doc.store.pendingDs !== null
    }
  }

  presence () {
    return [...this.provider.awareness.getStates()].map(([clientID, state]) => ({ clientID, state }))
  }

  close () {
    this.typist?.stop()
    this.provider.destroy()
  }
}
