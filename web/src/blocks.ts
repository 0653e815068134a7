// What can be put into a note besides text, and done with it: for the toolbar, for keys, and for whatever else offers
// it by name. Each command brings the caret back to the text.

import type { ChainedCommands, Editor } from '@tiptap/core'
import type { Node } from '@tiptap/pm/model'
import { type Command, TextSelection } from '@tiptap/pm/state'
import { addColumnAfter, addColumnBefore, addRowAfter, addRowBefore, deleteColumn, deleteRow, deleteTable, isInTable, toggleHeaderRow } from '@tiptap/pm/tables'

import { say } from './say.ts'
import { reshape } from './tables.ts'

export interface Block {
  id: string
  /** What it is called on the page. */
  label: string
  /** Other words that somebody may look for it by, the first of which a menu shows. */
  keywords: string[]
  /** Does it; false if it cannot be done where the caret is. */
  run(editor: Editor): boolean
  /** Whether it is on where the caret stands; of what is only put in, nothing. */
  on?(editor: Editor): boolean
  /** Whether it can be used there; always if missing. */
  can?(editor: Editor): boolean
}

function chained(id: string, label: string, keywords: string[], run: (c: ChainedCommands) => ChainedCommands, on?: (e: Editor) => boolean): Block {
  return { id, label, keywords, run: e => run(e.chain().focus()).run(), ...(on && { on }) }
}

function heading(level: 1 | 2 | 3): Block {
  return chained(`heading${level}`, say('Heading {level}', level), [`H${level}`, 'title'], c => c.toggleHeading({ level }), e => e.isActive('heading', { level }))
}

/** What a menu of blocks offers, in its order. */
export const blocks: Block[] = [
  heading(1),
  heading(2),
  heading(3),
  chained('bulletList', say('Bulleted list'), [say('Points'), 'unordered'], c => c.toggleBulletList(), e => e.isActive('bulletList')),
  chained('orderedList', say('Numbered list'), ['1, 2, 3', 'ordered', 'steps'], c => c.toggleOrderedList(), e => e.isActive('orderedList')),
  chained('taskList', say('Task list'), [say('To do'), 'checkbox', 'tick'], c => c.toggleTaskList(), e => e.isActive('taskList')),
  { id: 'table', label: say('Table'), keywords: [say('Rows and columns'), 'grid', 'flow sheet'], run: insertTable, can: e => !isInTable(e.state) },
  chained('blockquote', say('Quote'), [say('Indented'), 'citation'], c => c.toggleBlockquote(), e => e.isActive('blockquote')),
  chained('codeBlock', say('Code block'), [say('As typed'), 'monospace', 'fixed width'], c => c.toggleCodeBlock(), e => e.isActive('codeBlock')),
  chained('horizontalRule', say('Line'), [say('Rule across'), 'horizontal', 'separator'], c => c.setHorizontalRule()),
]

function inTable(id: string, label: string, keywords: string[], command: Command): Block {
  return { id, label, keywords, can: e => isInTable(e.state), run: e => reshape(e, command) && e.commands.focus() }
}

/** What can be done with the table that the caret is in. */
export const tableCommands: Block[] = [
  inTable('rowBefore', say('Insert row above'), ['add row'], addRowBefore),
  inTable('rowAfter', say('Insert row below'), ['add row'], addRowAfter),
  inTable('columnBefore', say('Insert column left'), ['add column'], addColumnBefore),
  inTable('columnAfter', say('Insert column right'), ['add column'], addColumnAfter),
  inTable('headerRow', say('Header row on or off'), ['heading'], toggleHeaderRow),
  inTable('deleteRow', say('Delete row'), ['remove row'], deleteRow),
  inTable('deleteColumn', say('Delete column'), ['remove column'], deleteColumn),
  inTable('deleteTable', say('Delete table'), ['remove table'], deleteTable),
]

/** What can be done with the task that the caret is in. */
export const taskCommands: Block[] = [
  { id: 'taskDone', label: say('Tick task off, or not'), keywords: ['done', 'check'], can: inTask, run: toggleTask },
  { id: 'taskDetails', label: say('Owner and due time of the task'), keywords: ['assign', 'due', 'deadline'], can: inTask, run: editTask },
]

const ROWS = 3
const COLUMNS = 3

/** Puts a table with a header at the caret, which then stands in its first cell. In a table it does nothing. */
function insertTable(editor: Editor): boolean {
  const { state, view } = editor
  const { table, tableRow, tableHeader, tableCell, paragraph } = state.schema.nodes
  if (isInTable(state)) return false
  const rows = Array.from({ length: ROWS }, (_, i) => {
    const type = i === 0 ? tableHeader : tableCell
    return tableRow.create(null, Array.from({ length: COLUMNS }, () => type.createAndFill() as Node))
  })
  const tr = state.tr
  const at = tr.selection.from + 1
  tr.replaceSelectionWith(table.create(null, rows))
  // There has to be a place to write on.
  if (tr.doc.lastChild?.type === table) tr.insert(tr.doc.content.size, paragraph.create())
  view.dispatch(tr.setSelection(TextSelection.near(tr.doc.resolve(at))).scrollIntoView())
  return editor.commands.focus()
}

/** Where the innermost task begins that the caret is in. */
function taskAt(editor: Editor): number | undefined {
  const { $from } = editor.state.selection
  for (let d = $from.depth; d > 0; d--) if ($from.node(d).type.name === 'taskItem') return $from.before(d)
  return undefined
}

function inTask(editor: Editor): boolean {
  return taskAt(editor) !== undefined
}

function toggleTask(editor: Editor): boolean {
  const at = taskAt(editor)
  const task = at === undefined ? null : editor.state.doc.nodeAt(at)
  if (at === undefined || !task || !editor.isEditable) return false
  editor.view.dispatch(editor.state.tr.setNodeAttribute(at, 'checked', task.attrs.checked !== true))
  return true
}

function editTask(editor: Editor): boolean {
  const at = taskAt(editor)
  if (at === undefined || !editor.isEditable) return false
  editor.storage.taskItem.edit(at)
  return true
}
