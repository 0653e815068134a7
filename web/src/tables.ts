// Tables: rows of cells, no more. Widths of columns and alignment would be inline styles,
// which the policy of the pages forbids; Tiptap's own table would bring the code for them.
//
// A table that two people changed at once may have rows of different lengths. It is shown
// so, and set right when somebody changes its shape next (reshape): an editor that set it right
// as soon as it sees it would write in the name of whoever only looks, and all editors at once.

import { type Editor, Node } from '@tiptap/core'
import type { Attrs, Schema } from '@tiptap/pm/model'
import { type Command, Plugin } from '@tiptap/pm/state'
import { addRowAfter, CellSelection, deleteTable, fixTables, goToNextCell, isInTable, tableEditing } from '@tiptap/pm/tables'

/** What ProseMirror's tables know their parts by. */
const ROLES: Record<string, string> = { table: 'table', tableRow: 'row', tableCell: 'cell', tableHeader: 'header_cell' }

/** How many columns or rows a cell may take. More would be a table that no browser can draw. */
const MAX_SPAN = 64

const spanOf = (value: unknown) => Math.min(Math.max(Math.trunc(Number(value)) || 1, 1), MAX_SPAN)

function span(name: 'colspan' | 'rowspan') {
  return {
    default: 1,
    parseHTML: (e: HTMLElement) => spanOf(e.getAttribute(name)),
    renderHTML: (a: Record<string, unknown>) => (a[name] === 1 ? {} : { [name]: a[name] }),
  }
}

/** Has cells of a schema take no more than that, whatever a note says: it need not be written by an editor. */
export function boundSpans(schema: Schema): void {
  for (const type of [schema.nodes.tableCell, schema.nodes.tableHeader] as unknown as { computeAttrs(attrs: Attrs | null): Attrs }[]) {
    const compute = type.computeAttrs.bind(type)
    type.computeAttrs = (attrs: Attrs | null) => {
      const all = compute(attrs)
      return all.colspan === 1 && all.rowspan === 1 ? all : { ...all, colspan: spanOf(all.colspan), rowspan: spanOf(all.rowspan) }
    }
  }
}

/** Runs a command that changes the shape of the table that the caret is in; false if it is in none. */
export function reshape(editor: Editor, command: Command): boolean {
  if (!isInTable(editor.state)) return false
  const right = fixTables(editor.state)
  if (right) editor.view.dispatch(right)
  return command(editor.state, editor.view.dispatch)
}

// A table all of whose cells are selected goes with them.
const deleteSelected: Command = (state, dispatch) =>
  state.selection instanceof CellSelection && state.selection.isColSelection() && state.selection.isRowSelection() && deleteTable(state, dispatch)

export const Table = Node.create({
  name: 'table',
  content: 'tableRow*',
  isolating: true,
  group: 'block',

  parseHTML() {
    return [{ tag: 'table' }]
  },

  renderHTML() {
    return ['div', { class: 'table-wrap' }, ['table', ['tbody', 0]]]
  },

  addKeyboardShortcuts() {
    const run = (command: Command) => command(this.editor.state, this.editor.view.dispatch)
    const removed = () => run(deleteSelected)
    return {
      // The next cell, and behind the last one a new row.
      Tab: () => run(goToNextCell(1)) || (reshape(this.editor, addRowAfter) && run(goToNextCell(1))),
      'Shift-Tab': () => run(goToNextCell(-1)),
      Backspace: removed,
      Delete: removed,
      'Mod-Backspace': removed,
      'Mod-Delete': removed,
    }
  },

  onBeforeCreate() {
    boundSpans(this.editor.schema)
  },

  addProseMirrorPlugins() {
    const { spec } = tableEditing()
    return [
      new Plugin({
        ...spec,
        // As if nothing had changed: only the selection is looked at.
        appendTransaction(transactions, _old, state) {
          return spec.appendTransaction?.call(this, transactions, state, state)
        },
      }),
    ]
  },

  extendNodeSchema(extension) {
    return { tableRole: ROLES[extension.name] }
  },
})

export const TableRow = Node.create({
  name: 'tableRow',
  content: '(tableCell | tableHeader)*',

  parseHTML() {
    return [{ tag: 'tr' }]
  },

  renderHTML() {
    return ['tr', 0]
  },
})

function cell(name: string, tag: 'td' | 'th') {
  return Node.create({
    name,
    content: 'block*',
    isolating: true,

    addAttributes() {
      return { colspan: span('colspan'), rowspan: span('rowspan') }
    },

    parseHTML() {
      return [{ tag }]
    },

    renderHTML({ HTMLAttributes }) {
      return [tag, HTMLAttributes, 0]
    },
  })
}

export const TableHeader = cell('tableHeader', 'th')
export const TableCell = cell('tableCell', 'td')
