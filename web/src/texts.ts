// The text of a note, block by block, as positions count it.

import type { Node } from '@tiptap/pm/model'

/** Stands for what is in a text and is none, such as a line's break. */
export const OBJECT = '\ufffc'

/** Calls f with each text block, where its text begins, and what gives that text: one character for one position. */
export function eachText(doc: Node, f: (block: Node, begins: number, text: () => string) => void): void {
  doc.descendants((node, at) => {
    if (!node.isTextblock) return true
    f(node, at + 1, () => textOf(node))
    return false
  })
}

/** A text block's text, one character for one position. */
export function textOf(block: Node): string {
  return block.textBetween(0, block.content.size, undefined, OBJECT)
}
