// Why nobody writes the note now: somebody holds it still to sign it, or it is signed. The server says so in words of its own, which
// this file only asks for whenever what this window may do has changed.

import htmx from 'htmx.org/dist/htmx.esm.js'

import './htmx.ts'

/** The stateless message by which the server says that words of this person came after the signature. */
export const LATE = '{"type":"late"}'

export class Standing {
  #box: HTMLElement
  #url: string
  #asking: Promise<void> | undefined
  #again = false

  constructor(box: HTMLElement, note: string) {
    this.#box = box
    this.#url = `/notes/${note}/standing`
  }

  /** Whether what is typed and not saved waits, and is not lost; true while that is being asked. */
  get waits(): boolean {
    return this.#asking !== undefined || this.#box.querySelector('#frozen') !== null
  }

  /** Asks anew. One question at a time: what is asked meanwhile is asked once more. */
  refresh(): Promise<void> {
    if (this.#asking) {
      this.#again = true
      return this.#asking
    }
    this.#asking = this.#ask().finally(() => (this.#asking = undefined))
    return this.#asking
  }

  async #ask(): Promise<void> {
    do {
      this.#again = false
      try {
        await htmx.ajax('GET', this.#url, { target: `#${this.#box.id}`, swap: 'innerHTML' })
      } catch {
        // No network: the page's status tells, and the next connection asks again.
      }
      this.#box.hidden = this.#box.childElementCount === 0
    } while (this.#again)
  }
}
