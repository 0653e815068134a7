// While an input method composes, as it does for Japanese, and on a phone for each word, the browser holds on to the text under the caret.
// An edit that a colleague makes there would take that text from it, and what was begun would stand twice. So what others do waits until it
// is composed; not long, for it has to be seen.

import type { HocuspocusProvider } from '@hocuspocus/provider'
import type { Editor } from '@tiptap/core'

import { head } from './saved.ts'

/** How long nothing is composed before that waits no more. On a phone a word may stay begun for minutes. */
const REST_MS = 1_000

/** How long others' edits wait at most, and how many. */
const LONGEST_MS = 5_000
const MOST = 1_000

/** Types of the Hocuspocus envelope, and of a sync message: what others write, and where they are. */
const SYNC = 0
const AWARENESS = 1
const UPDATE = 2

/** Holds back what others do while something is composed. */
export class Composing {
  #read: (e: MessageEvent) => void
  #held: MessageEvent[] = []
  #since = 0
  #over: ReturnType<typeof setTimeout> | undefined

  constructor(editor: Editor, provider: HocuspocusProvider) {
    this.#read = provider.onMessage.bind(provider)
    provider.onMessage = e => this.#came(e)
    const { dom } = editor.view
    dom.addEventListener('compositionstart', () => this.#composes(REST_MS))
    dom.addEventListener('compositionupdate', () => this.#composes(REST_MS))
    dom.addEventListener('compositionend', () => this.#composes(0))
  }

  #composes(more: number): void {
    clearTimeout(this.#over)
    this.#over = setTimeout(() => this.#release(), Math.max(0, Math.min(more, this.#held.length > 0 ? this.#since + LONGEST_MS - Date.now() : more)))
  }

  #came(e: MessageEvent): void {
    const h = this.#over === undefined ? undefined : head(new Uint8Array(e.data))
    if (h?.type !== AWARENESS && !(h?.type === SYNC && h.sub === UPDATE)) {
      this.#read(e)
      return
    }
    if (this.#held.length === 0) this.#since = Date.now()
    if (this.#held.push(e) >= MOST) this.#release()
  }

  #release(): void {
    clearTimeout(this.#over)
    this.#over = undefined
    for (const e of this.#held.splice(0)) this.#read(e)
  }
}
