// The editor's schema. It must equal the newest of crdt/prose/schemas, from which the
// server renders and checks notes: a browser that does not know a node type
// deletes it from the shared note by opening it.

import { Extension, type Extensions } from '@tiptap/core'
import { Code } from '@tiptap/extension-code'
import { CodeBlock } from '@tiptap/extension-code-block'
import type { Fragment, Mark as ProseMark, Node as ProseNode, NodeType } from '@tiptap/pm/model'
import StarterKit from '@tiptap/starter-kit'

import { Mention } from './mention.ts'
import { Deletion, Insertion } from './suggestion.ts'
import { Table, TableCell, TableHeader, TableRow } from './tables.ts'
import { TaskItem, TaskList } from './tasks.ts'

/** Nodes that are never made empty, though two people together can leave them so. */
const FILLED = ['tableCell', 'tableHeader', 'taskItem']

// Cells and tasks may be empty (block*): if they had to hold a block, whoever opens a
// note in which two people each deleted one of two paragraphs would delete the cell, and
// what stands right of it would move below another heading. What an editor makes has a
// paragraph all the same, for the caret to stand in.
const Filled = Extension.create({
  name: 'filled',
  onBeforeCreate() {
    const { nodes } = this.editor.schema
    for (const name of FILLED) {
      const type: NodeType = nodes[name]
      const make = type.createAndFill
      type.createAndFill = function (attrs?: ProseNode['attrs'] | null, content?: Fragment | ProseNode | readonly ProseNode[] | null, marks?: readonly ProseMark[]) {
        return make.call(type, attrs, content ?? nodes.paragraph.create(), marks)
      }
    }
  },
})

export const schemaExtensions: Extensions = [
  StarterKit.configure({
    // Undo belongs to the collaboration extension, which undoes one's own only.
    undoRedo: false,
    // It appends a paragraph to notes that end otherwise. Opening a note must
    // not edit it, least of all in the name of somebody who only reads.
    trailingNode: false,
    code: false,
    codeBlock: false,
  }),
  // Wording can be suggested for all text, code as well.
  Code.extend({ excludes: 'code link bold italic strike underline' }),
  CodeBlock.extend({ marks: 'insertion deletion' }),
  Insertion,
  Deletion,
  Table,
  TableRow,
  TableHeader,
  TableCell,
  TaskList,
  TaskItem,
  Mention,
  Filled,
]
