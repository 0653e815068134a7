// Somebody who is named in a note: the name as it was then, so that a copy of the note
// can be read by itself, and whose it is.

import { mergeAttributes, Node } from '@tiptap/core'

export const Mention = Node.create({
  name: 'mention',
  group: 'inline',
  inline: true,
  selectable: false,
  atom: true,

  addAttributes() {
    return {
      kind: { default: 'person', parseHTML: e => e.getAttribute('data-kind') ?? 'person', renderHTML: a => ({ 'data-kind': a.kind }) },
      id: { default: null, parseHTML: e => e.getAttribute('data-id'), renderHTML: a => ({ 'data-id': a.id }) },
      label: { default: null, parseHTML: e => e.textContent?.replace(/^@/, '') ?? null, rendered: false },
    }
  },

  parseHTML() {
    return [{ tag: 'span[data-type="mention"]' }]
  },

  renderHTML({ node, HTMLAttributes }) {
    return ['span', mergeAttributes({ class: 'mention', 'data-type': 'mention' }, HTMLAttributes), `@${node.attrs.label ?? ''}`]
  },

  renderText({ node }) {
    return `@${node.attrs.label ?? ''}`
  },
})
