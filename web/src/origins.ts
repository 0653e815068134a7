// How text came into this editor, as it says itself: what was pasted or dropped, and what was written while there was no
// line. Otherwise the server judges by how much came at once.

import type { Transaction } from 'yjs'

interface Said {
  type: 'text'
  how: 'pasted' | 'offline'
  client: number
  from: number
  to: number
}

/** What a transaction says of itself, by its uiEvent, that puts in text which nobody typed just now: a phrase, a section. It counts as pasted. */
export const INSERTED = 'insert'

/** How much is kept to be said on the next connection. */
const MAX_KEPT = 500

export class Origins {
  #client: number
  #send: (payload: string) => void
  #pastes = false
  #kept: Said[] = []

  constructor(client: number, send: (payload: string) => void) {
    this.#client = client
    this.#send = send
  }

  /** Notes what the change that comes next is. */
  does(uiEvent: unknown): void {
    this.#pastes = uiEvent === 'paste' || uiEvent === 'drop' || uiEvent === INSERTED
  }

  /** Notes what a transaction wrote. */
  wrote(tr: Transaction, live: boolean): void {
    const from = tr.beforeState.get(this.#client) ?? 0
    const to = tr.afterState.get(this.#client) ?? 0
    if (!tr.local || to <= from) return
    if (this.#pastes) this.#say({ type: 'text', how: 'pasted', client: this.#client, from, to }, live)
    if (!live) this.#say({ type: 'text', how: 'offline', client: this.#client, from, to }, live)
    this.#pastes = false
  }

  #say(said: Said, live: boolean): void {
    if (live) {
      this.#send(JSON.stringify(said))
      return
    }
    const last = this.#kept.findLast(s => s.how === said.how)
    if (last?.to === said.from) last.to = said.to
    else if (this.#kept.length < MAX_KEPT) this.#kept.push(said)
  }

  /** Says what was kept: there is a line again. */
  tell(): void {
    for (const said of this.#kept.splice(0)) this.#send(JSON.stringify(said))
  }
}
