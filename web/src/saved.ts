// What "Saved" means on the page: exactly which edits of this browser the
// server has answered for, and no other. The server answers each Update and
// each SyncStep2 frame once, in order, after it is committed (I2); so a list
// of what was sent on a connection is all that is needed to know.
//
// The provider's own counter cannot be shown: reconnecting resets it to 1, so
// that its first answer reads as "everything is saved".

/** Types of the Hocuspocus envelope: name, type, payload. */
const SYNC = 0
const SYNC_STATUS = 8

/** Subtypes of a sync message. */
const STEP2 = 1
const UPDATE = 2

/** A frame that waits for its answer, and the edits that it carries. */
interface Sent {
  /** A SyncStep2 carries every edit up to last, an Update the last alone. */
  whole: boolean
  last: number
}

/** What a frame is, as far as the ledger cares. */
export interface Head {
  type: number
  /** The first varint of the payload; undefined if there is none. */
  sub: number | undefined
}

/**
 * Reads the head of a Hocuspocus frame. It is undefined for what is no such
 * frame, such as the bare byte of a pong.
 */
export function head(frame: Uint8Array): Head | undefined {
  const name = varUint(frame, 0)
  if (!name) return undefined
  const type = varUint(frame, name.end + name.value)
  if (!type) return undefined
  return { type: type.value, sub: varUint(frame, type.end)?.value }
}

function varUint(b: Uint8Array, at: number): { value: number; end: number } | undefined {
  let value = 0
  let scale = 1
  for (let i = at; i < b.length && i < at + 8; i++) {
    value += (b[i] & 0x7f) * scale
    scale *= 128
    if (b[i] < 0x80) return { value, end: i + 1 }
  }
  return undefined
}

/** What an edit brought of this browser's own: clocks from, up to to. */
export interface Wrote {
  from: number
  to: number
}

/** Ledger counts the edits made here and which of them are committed. */
export class Ledger {
  #edits = 0
  #unsaved = new Map<number, Wrote | undefined>()
  #refused = new Set<number>()
  #changed: () => void

  /** changed is called after each change of what the ledger says. */
  constructor(changed: () => void = () => {}) {
    this.#changed = changed
  }

  /** Number of edits that are not known to be committed. */
  get unsaved(): number {
    return this.#unsaved.size
  }

  /** Number of unsaved edits that the server refused. */
  get refused(): number {
    return this.#refused.size
  }

  /** What the edits brought that are not known to be committed, in order. */
  get wrote(): Wrote[] {
    const all: Wrote[] = []
    for (const w of this.#unsaved.values()) {
      if (!w || w.to <= w.from) continue
      const last = all.at(-1)
      if (last?.to === w.from) last.to = w.to
      else all.push({ ...w })
    }
    return all
  }

  /** Notes one local change of the document, before it is sent. */
  edited(wrote?: Wrote): void {
    this.#unsaved.set(++this.#edits, wrote)
    this.#changed()
  }

  /** Begins the account of a new connection. */
  open(): Line {
    return new Line(this)
  }

  /** Whether an edit is not known to be committed. */
  waits(edit: number): boolean {
    return this.#unsaved.has(edit)
  }

  /** The number of the newest edit. */
  get newest(): number {
    return this.#edits
  }

  /** Settles one frame. @internal */
  settle(frame: Sent, committed: boolean): void {
    const edits = frame.whole ? [...this.#unsaved.keys()].filter(n => n <= frame.last) : [frame.last]
    for (const n of edits) {
      if (committed) {
        this.#unsaved.delete(n)
        this.#refused.delete(n)
      } else if (this.#unsaved.has(n)) {
        this.#refused.add(n)
      }
    }
    this.#changed()
  }
}

/** Line is the account of one connection. */
export class Line {
  #ledger: Ledger
  #waiting: Sent[] = []
  #met = false
  #open = true

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  /**
   * Notes a frame before it is sent and says whether it may be.
   *
   * An Update must not go out before this connection's SyncStep2: if edits made
   * offline are still missing at the server, it comes out of order and is
   * refused. The SyncStep2 carries it anyway.
   */
  sending(frame: Uint8Array): boolean {
    const h = head(frame)
    if (h?.type !== SYNC) return true
    if (h.sub === STEP2) {
      this.#met = true
      this.#waiting.push({ whole: true, last: this.#ledger.newest })
    } else if (h.sub === UPDATE) {
      if (!this.#met) return false
      this.#waiting.push({ whole: false, last: this.#ledger.newest })
    }
    return true
  }

  /** Notes a frame that came. An answer too many settles nothing. */
  received(frame: Uint8Array): Head | undefined {
    const h = head(frame)
    if (h?.type === SYNC_STATUS && this.#open) {
      const sent = this.#waiting.shift()
      if (sent) this.#ledger.settle(sent, h.sub === 1)
    }
    return h
  }

  /** Ends the account: what was not answered stays unsaved. */
  close(): void {
    this.#open = false
    this.#waiting = []
  }
}

/** Whether a frame from the server is its SyncStep2: the document as it is. */
export function isStep2(h: Head | undefined): boolean {
  return h?.type === SYNC && h.sub === STEP2
}

/**
 * A WebSocket class for the provider that keeps the ledger. It sits at the
 * socket, since the provider announces frames that it only queues, and drops
 * its queue when it reconnects.
 */
export function accountedSocket(ledger: Ledger, received: (h: Head | undefined) => void): typeof WebSocket {
  return class extends WebSocket {
    #line = ledger.open()

    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols)
      this.addEventListener('message', e => received(this.#line.received(new Uint8Array(e.data))))
      this.addEventListener('close', () => this.#line.close())
    }

    override send(data: string | ArrayBufferLike | Blob | ArrayBufferView): void {
      if (data instanceof Uint8Array && !this.#line.sending(data)) return
      super.send(data as BufferSource)
    }
  }
}
