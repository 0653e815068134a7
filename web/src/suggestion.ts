// Wording that somebody suggests: text to be added, and text to be deleted, which stands
// in the note until somebody decides. A mark says only which suggestion it is of. Who
// suggested it is whoever wrote it, which the server knows, and no attribute can say.
//
// Several may suggest to delete the same words (excludes nothing), and the marks come
// first, so that one suggestion is one element whatever is bold in it.

import { Mark, mergeAttributes } from '@tiptap/core'

import { say } from './say.ts'

function suggestion(name: 'insertion' | 'deletion', tag: 'ins' | 'del', says: string): Mark {
  return Mark.create({
    name,
    priority: 1100,
    inclusive: false, // who writes behind it suggests nothing
    excludes: '',

    addAttributes() {
      return {
        id: { default: null, parseHTML: e => e.getAttribute('data-suggestion'), renderHTML: a => ({ 'data-suggestion': a.id }) },
      }
    },

    parseHTML() {
      return [{ tag: `${tag}[data-suggestion]`, priority: 60 }] // <del> is else struck text
    },

    renderHTML({ HTMLAttributes }) {
      return [tag, mergeAttributes({ class: 'suggested', title: says }, HTMLAttributes), 0]
    },
  })
}

export const Insertion = suggestion('insertion', 'ins', say('Suggested insertion'))
export const Deletion = suggestion('deletion', 'del', say('Suggested deletion'))
