// While an input method composes, as it does for Japanese, and on a phone for each word, the browser holds on to the text under the caret.
// An edit that a colleague makes there would take that text from it, and what was begun would stand twice. So what others do waits until it
// is composed; not long, for it has to be seen.

import type { HocuspocusProvider } from '@hocuspocus/provider'

import { head } from './saved.ts'

/** How long nothing is composed before nothing waits for it any more. On a phone a word may stay begun for minutes. */
const REST_MS = 1_000

/** How long what others do waits at most, and how many frames of it. */
const LONGEST_MS = 5_000
const MOST = 1_000

/** Types of the Hocuspocus envelope, and of a sync message. */
const SYNC = 0
const AWARENESS = 1
const UPDATE = 2

/** Whether a frame has what others write, or where they are. */
function kind({ data }: MessageEvent): typeof UPDATE | typeof AWARENESS | undefined {
  const { type, sub } = head(new Uint8Array(data)) ?? {}
  return type === AWARENESS ? AWARENESS : type === SYNC && sub === UPDATE ? UPDATE : undefined
}

/** Holds back what others do while something is composed in dom. */
export class Composing {
  #read: (e: MessageEvent) => void
  #held: MessageEvent[] = []
  #since = 0
  #over: ReturnType<typeof setTimeout> | undefined

  constructor(provider: HocuspocusProvider, dom: EventTarget) {
    this.#read = provider.onMessage.bind(provider)
    provider.onMessage = e => this.#came(e)
    provider.on('close', () => (this.#held = this.#held.filter(e => kind(e) === UPDATE))) // nobody is where they were
    dom.addEventListener('compositionstart', () => this.#composes(REST_MS))
    dom.addEventListener('compositionupdate', () => this.#composes(REST_MS))
    dom.addEventListener('compositionend', () => this.#composes(0)) // the editor hears of it first
  }

  #composes(more: number): void {
    clearTimeout(this.#over)
    const left = this.#held.length > 0 ? this.#since + LONGEST_MS - performance.now() : more
    this.#over = setTimeout(() => this.#release(), Math.max(0, Math.min(more, left)))
  }

  #came(e: MessageEvent): void {
    if (this.#over === undefined || kind(e) === undefined) {
      this.#read(e)
      return
    }
    if (this.#held.length === 0) this.#since = performance.now()
    if (this.#held.push(e) >= MOST) this.#release()
  }

  #release(): void {
    clearTimeout(this.#over)
    this.#over = undefined
    for (const e of this.#held.splice(0)) this.#read(e)
  }
}
