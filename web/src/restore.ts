// Where words that were removed go back to, and as what.

import type { Node, Schema } from '@tiptap/pm/model'

/** Blocks to insert, and where. */
export interface Restored {
  at: number
  blocks: Node[]
}

/**
 * The words as paragraphs, one a line, at the first place from pos outwards
 * that takes them. In a list they become items.
 */
export function restored(doc: Node, pos: number, words: string): Restored {
  const { schema } = doc.type
  const $pos = doc.resolve(Math.max(0, Math.min(pos, doc.content.size)))
  for (let depth = $pos.depth; depth > 0; depth--) {
    const parent = $pos.node(depth)
    const index = $pos.indexAfter(depth)
    const wrapping = parent.inlineContent ? null : parent.contentMatchAt(index).findWrapping(schema.nodes.paragraph)
    if (!wrapping || !parent.canReplaceWith(index, index, wrapping[0] ?? schema.nodes.paragraph)) continue
    const wrap = (n: Node) => wrapping.reduceRight((inner, type) => type.create(null, inner), n)
    return { at: depth === $pos.depth ? $pos.pos : $pos.after(depth + 1), blocks: paragraphs(schema, words).map(wrap) }
  }
  return { at: $pos.depth === 0 ? $pos.pos : $pos.after(1), blocks: paragraphs(schema, words) }
}

function paragraphs(schema: Schema, words: string): Node[] {
  return words
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '')
    .map(line => schema.nodes.paragraph.create(null, schema.text(line)))
}
