// What is known of elements of the shared document, and where in the editor they stand.

import type { Node } from '@tiptap/pm/model'
import { type Decoration, DecorationSet } from '@tiptap/pm/view'
import type * as Y from 'yjs'

import { eachRun, eachText } from './sharedtext.ts'

/** A Yjs client id, its first element, and the one behind the last. */
export type Elements = [number, number, number]

interface Piece<T> {
  from: number
  to: number
  of: T
}

export class Pieces<T> {
  #all = new Map<number, Piece<T>[]>()

  constructor(spans: { elements: Elements[]; of: T }[] = []) {
    for (const { elements, of } of spans) {
      for (const [client, from, to] of elements) {
        let list = this.#all.get(client)
        if (!list) this.#all.set(client, (list = []))
        list.push({ from, to, of })
      }
    }
    for (const list of this.#all.values()) list.sort((a, b) => a.from - b.from)
  }

  get empty(): boolean {
    return this.#all.size === 0
  }

  /** The decorations of a document that shows what is shared. */
  decorations(shared: Y.XmlFragment, doc: Node, make: (from: number, to: number, of: T) => Decoration): DecorationSet {
    if (this.empty) return DecorationSet.empty
    const all: Decoration[] = []
    eachText(shared, doc, (text, at) =>
      eachRun(text, at, (item, at) => {
        const { client, clock } = item.id
        for (const p of this.#all.get(client) ?? []) {
          const from = Math.max(p.from, clock)
          const to = Math.min(p.to, clock + item.length)
          if (from < to) all.push(make(at + from - clock, at + to - clock, p.of))
        }
      }),
    )
    return DecorationSet.create(doc, all)
  }
}
