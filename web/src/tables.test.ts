import assert from 'node:assert/strict'
import { test } from 'node:test'

import { getSchema } from '@tiptap/core'
import { Node } from '@tiptap/pm/model'
import StarterKit from '@tiptap/starter-kit'
import { initProseMirrorDoc, prosemirrorJSONToYXmlFragment, updateYFragment, yXmlFragmentToProseMirrorRootNode } from '@tiptap/y-tiptap'
import * as Y from 'yjs'

import { schemaExtensions } from './extensions.ts'
import { boundSpans } from './tables.ts'

const schema = getSchema(schemaExtensions)

function noteOf(json: unknown, by = schema): Y.Doc {
  const doc = new Y.Doc()
  prosemirrorJSONToYXmlFragment(by, json, doc.getXmlFragment('default'))
  return doc
}

/** A note as an editor has it that opens it, which deletes from the note what its schema does not allow. */
function opened(doc: Y.Doc): Node {
  return yXmlFragmentToProseMirrorRootNode(doc.getXmlFragment('default'), schema)
}

/** What somebody's editor makes of a note that they have, and what another has to apply. */
function edited(doc: Y.Doc, change: (json: any) => void): Uint8Array {
  const mine = new Y.Doc()
  Y.applyUpdate(mine, Y.encodeStateAsUpdate(doc))
  const fragment = mine.getXmlFragment('default')
  const { meta } = initProseMirrorDoc(fragment, schema)
  const json = opened(mine).toJSON()
  change(json)
  mine.transact(() => updateYFragment(mine, fragment, schema.nodeFromJSON(json), meta))
  return Y.encodeStateAsUpdate(mine)
}

const para = (text: string) => ({ type: 'paragraph', content: [{ type: 'text', text }] })

test('a cell that two people emptied stays, and what stands right of it below its heading', () => {
  const cell = (...content: unknown[]) => ({ type: 'tableCell', content })
  const row = { type: 'tableRow', content: [cell(para('furosemide')), cell(para('40 mg'), para('or 80')), cell(para('at night'))] }
  const note = noteOf({ type: 'doc', content: [{ type: 'table', content: [row] }] })
  const updates = [0, 1].map(i => edited(note, json => json.content[0].content[0].content[1].content.splice(i, 1)))
  for (const u of updates) Y.applyUpdate(note, u)
  const [first, emptied, last] = opened(note).child(0).child(0).children
  assert.deepEqual([first.textContent, emptied.childCount, last?.textContent], ['furosemide', 0, 'at night'])
})

test('a task whose paragraphs two people deleted stays, and a task within it', () => {
  const item = (...content: unknown[]) => ({ type: 'taskItem', attrs: { checked: false, owner: 'a', ownerName: 'Ada', due: null }, content })
  const note = noteOf({ type: 'doc', content: [{ type: 'taskList', content: [item(para('one'), para('two'), { type: 'taskList', content: [item(para('within'))] })] }] })
  const updates = [0, 1].map(i => edited(note, json => json.content[0].content[0].content.splice(i, 1)))
  for (const u of updates) Y.applyUpdate(note, u)
  const task = opened(note).child(0).child(0)
  assert.deepEqual([task.attrs.ownerName, task.textContent], ['Ada', 'within'])
})

test('rows and columns that two people add at once lose nothing', () => {
  const cell = (text: string) => ({ type: 'tableCell', content: [para(text)] })
  const note = noteOf({ type: 'doc', content: [{ type: 'table', content: [{ type: 'tableRow', content: [cell('a'), cell('b')] }] }] })
  const updates = [
    edited(note, json => json.content[0].content.push({ type: 'tableRow', content: [cell('c'), cell('d')] })),
    edited(note, json => json.content[0].content[0].content.push(cell('e'))),
  ]
  for (const u of updates) Y.applyUpdate(note, u)
  assert.deepEqual(opened(note).child(0).children.map(r => r.children.map(c => c.textContent)), [['a', 'b', 'e'], ['c', 'd']])
})

test('a note of before is opened as it is', () => {
  const json = {
    type: 'doc',
    content: [
      { type: 'heading', attrs: { level: 2 }, content: [{ type: 'text', text: 'Plan' }] },
      { type: 'bulletList', content: [{ type: 'listItem', content: [para('one')] }] },
      { type: 'paragraph', content: [{ type: 'text', text: 'x', marks: [{ type: 'code' }] }, { type: 'text', text: 'y', marks: [{ type: 'bold' }, { type: 'italic' }] }] },
      { type: 'codeBlock', attrs: { language: null }, content: [{ type: 'text', text: 'z' }] },
    ],
  }
  const note = noteOf(json, getSchema([StarterKit.configure({ undoRedo: false, trailingNode: false })]))
  const before = Y.encodeStateVector(note)
  assert.deepEqual(opened(note).toJSON(), schema.nodeFromJSON(json).toJSON())
  assert.deepEqual(Y.encodeStateVector(note), before)
})

test('a cell that says it takes a billion columns takes no more than can be drawn', () => {
  const cells = [1e9, -1, '7', null].map(colspan => ({ type: 'tableCell', attrs: { colspan, rowspan: 1e9 }, content: [para('a')] }))
  const note = noteOf({ type: 'doc', content: [{ type: 'table', content: [{ type: 'tableRow', content: cells }] }] })
  const bounded = getSchema(schemaExtensions)
  boundSpans(bounded)
  const row = yXmlFragmentToProseMirrorRootNode(note.getXmlFragment('default'), bounded).child(0).child(0)
  assert.deepEqual(row.children.map(c => [c.attrs.colspan, c.attrs.rowspan]), [[64, 64], [1, 64], [7, 64], [1, 64]])
})
