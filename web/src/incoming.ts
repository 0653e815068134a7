// What others do, on its way into the editor. Twenty who write send more often than a screen is drawn, and the editor draws all of the note for
// each change: so what came is taken together, when the screen is drawn next.
//
// While an input method composes, as it does for Japanese, and on a phone for each word, the browser holds on to the text under the caret.
// An edit that a colleague makes there would take that text from it, and what was begun would stand twice. So what others do waits until it
// is composed; not long, for it has to be seen.

import type { HocuspocusProvider } from '@hocuspocus/provider'
import { transact } from 'yjs'

import { head } from './saved.ts'

/** How long nothing is composed before nothing waits for it any more. On a phone a word may stay begun for minutes. */
const REST_MS = 1_000

/** How long what others do waits at most, and how many frames of it. */
const LONGEST_MS = 5_000
const MOST = 1_000

/** How long it waits where nothing is drawn, as in a window behind others. */
const UNDRAWN_MS = 100

/** Types of the Hocuspocus envelope, and of a sync message. */
const SYNC = 0
const AWARENESS = 1
const UPDATE = 2

/** Whether a frame has what others write, or where they are. */
function kind({ data }: MessageEvent): typeof UPDATE | typeof AWARENESS | undefined {
  const { type, sub } = head(new Uint8Array(data)) ?? {}
  return type === AWARENESS ? AWARENESS : type === SYNC && sub === UPDATE ? UPDATE : undefined
}

/** Holds back what others do until the screen is drawn, and while something is composed in dom. */
export class Incoming {
  #provider: HocuspocusProvider
  #read: (e: MessageEvent) => void
  #look: () => void
  #held: MessageEvent[] = []
  #since = 0
  #composed: ReturnType<typeof setTimeout> | undefined
  #undrawn: ReturnType<typeof setTimeout> | undefined
  #frame = 0

  /** look is called before anything changes what the editor shows. */
  constructor(provider: HocuspocusProvider, dom: EventTarget, look: () => void) {
    this.#provider = provider
    this.#read = provider.onMessage.bind(provider)
    this.#look = look
    provider.onMessage = e => this.#came(e)
    provider.on('close', () => (this.#held = this.#held.filter(e => kind(e) === UPDATE))) // nobody is where they were
    dom.addEventListener('compositionstart', () => this.#composes(REST_MS))
    dom.addEventListener('compositionupdate', () => this.#composes(REST_MS))
    dom.addEventListener('compositionend', () => this.#composes(0)) // the editor hears of it first
  }

  #composes(more: number): void {
    this.#cancel()
    const left = this.#held.length > 0 ? this.#since + LONGEST_MS - performance.now() : more
    this.#composed = setTimeout(() => this.#release(), Math.max(0, Math.min(more, left)))
  }

  #came(e: MessageEvent): void {
    if (kind(e) === undefined) {
      this.#look()
      this.#read(e)
      return
    }
    if (this.#held.length === 0) this.#since = performance.now()
    if (this.#held.push(e) >= MOST) this.#release()
    else if (this.#composed === undefined && this.#undrawn === undefined) {
      this.#frame = requestAnimationFrame(() => this.#release())
      this.#undrawn = setTimeout(() => this.#release(), UNDRAWN_MS)
    }
  }

  #cancel(): void {
    clearTimeout(this.#composed)
    clearTimeout(this.#undrawn)
    cancelAnimationFrame(this.#frame)
    this.#composed = this.#undrawn = undefined
  }

  // Edits as one; then where people are, which may be in them.
  #release(): void {
    this.#cancel()
    const held = this.#held.splice(0)
    if (held.length === 0) return
    this.#look()
    transact(this.#provider.document, () => this.#take(held, UPDATE), this.#provider, false)
    this.#take(held, AWARENESS)
  }

  #take(held: MessageEvent[], of: number): void {
    for (const e of held) if (kind(e) === of) this.#read(e)
  }
}
