// Where the shared document's text stands in the editor: an element of the one is a node of the other, and a text its text, so that both
// count the same.

import type { Node } from '@tiptap/pm/model'
import * as Y from 'yjs'

/** Calls f with each text that is shown, in order, and with its position in the editor's document. */
export function eachText(shared: Y.XmlFragment | Y.XmlElement, node: Node, f: (text: Y.XmlText, at: number) => void, begins = 0): void {
  let at = begins
  for (const child of shared.toArray()) {
    if (child instanceof Y.XmlText) {
      f(child, at)
      at += child.length
    } else if (child instanceof Y.XmlElement) {
      const shown = node.nodeAt(at - begins)
      if (!shown) return // not shown yet
      if (!shown.isLeaf) eachText(child, shown, f, at + 1)
      at += shown.nodeSize
    }
  }
}

/** Calls f with each run of a text's elements that are there, and with its position. */
export function eachRun(text: Y.XmlText, at: number, f: (item: Y.Item, at: number) => void): void {
  for (let item = text._start; item; item = item.right) {
    if (item.deleted || !item.countable) continue
    f(item, at)
    at += item.length
  }
}
