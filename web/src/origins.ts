// How text came into this editor, as it says itself: what was pasted or dropped, what was written while there was no line, and
// what an edit moved or put back. It is said before the edit that it is about, and again on each new connection until that is
// saved. Otherwise the server judges by how much came at once, and by what it says.

import type { Transaction } from 'yjs'

import type { Move } from './moves.ts'

interface Said {
  type: 'text'
  how: 'pasted' | 'offline' | 'moved'
  client: number
  from?: number
  to?: number
  moves?: Move[]
}

/** Something to say of an edit, by its number in the ledger. */
interface Kept {
  said: Said
  edit: number
  told: boolean // before: then it stays as it was told
}

/** What a transaction says of itself, by its uiEvent, that puts in text which nobody typed just now: a phrase, a section. It counts as pasted. */
export const INSERTED = 'insert'

/** How much is kept to be said on the next connection. */
const MAX_KEPT = 5_000

/** How many moves the server takes at once; see docs/limits.md. */
const MAX_MOVES = 500

export class Origins {
  #send: (payload: string) => void
  #next: () => number
  #open = false
  #pastes = false
  #kept: Kept[] = []

  /** next says which number the ledger will give the edit that is being made. */
  constructor(send: (payload: string) => void, next: () => number) {
    this.#send = send
    this.#next = next
  }

  /** Notes what the change that comes next is. */
  does(uiEvent: unknown): void {
    this.#pastes = uiEvent === 'paste' || uiEvent === 'drop' || uiEvent === INSERTED
  }

  /** Notes what a transaction wrote. */
  wrote(tr: Transaction, live: boolean): void {
    const client = tr.doc.clientID
    const from = tr.beforeState.get(client) ?? 0
    const to = tr.afterState.get(client) ?? 0
    if (!tr.local || to <= from) return
    if (this.#pastes) this.#say({ type: 'text', how: 'pasted', client, from, to })
    if (!live) this.#say({ type: 'text', how: 'offline', client, from, to })
    this.#pastes = false
  }

  /** Notes what an edit of a client moved. */
  moved(client: number, moves: Move[]): void {
    for (let i = 0; i < moves.length; i += MAX_MOVES) this.#say({ type: 'text', how: 'moved', client, moves: moves.slice(i, i + MAX_MOVES) })
  }

  #say(said: Said): void {
    const kept = { said, edit: this.#next(), told: false }
    if (this.#joins(kept)) return // nothing waits while there is a line
    if (this.#kept.length < MAX_KEPT) this.#kept.push(kept)
    if (this.#open) this.#tell(kept)
  }

  /** Adds something to what waits to be told already. */
  #joins({ said, edit }: Kept): boolean {
    const last = this.#kept.findLast(k => k.said.how === said.how)
    if (!last || last.told || last.said.client !== said.client) return false
    if (last.said.moves && said.moves && last.said.moves.length + said.moves.length <= MAX_MOVES) last.said.moves.push(...said.moves)
    else if (said.from !== undefined && last.said.to === said.from) last.said.to = said.to
    else return false
    last.edit = edit
    return true
  }

  #tell(kept: Kept): void {
    kept.told = true
    this.#send(JSON.stringify(kept.said))
  }

  /** There is a line again: says all that is about what is not saved. */
  tell(): void {
    this.#open = true
    for (const kept of this.#kept) this.#tell(kept)
  }

  /** The line is gone. */
  lost(): void {
    this.#open = false
  }

  /** Forgets what is about edits that are saved. */
  saved(unsaved: (edit: number) => boolean): void {
    if (this.#kept.some(k => !unsaved(k.edit))) this.#kept = this.#kept.filter(k => k.edit > this.#next() - 1 || unsaved(k.edit))
  }
}
