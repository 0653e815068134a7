// The editor's schema. It must equal crdt/prose/schemas/1.json, from which the
// server renders and checks notes: a browser that does not know a node type
// deletes it from the shared note by opening it.

import type { Extensions } from '@tiptap/core'
import StarterKit from '@tiptap/starter-kit'

export const schemaExtensions: Extensions = [
  StarterKit.configure({
    // Undo belongs to the collaboration extension, which undoes one's own only.
    undoRedo: false,
    // It appends a paragraph to notes that end otherwise. Opening a note must
    // not edit it, least of all in the name of somebody who only reads.
    trailingNode: false,
  }),
]
