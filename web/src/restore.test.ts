import assert from 'node:assert/strict'
import { test } from 'node:test'

import { getSchema } from '@tiptap/core'
import type { Node } from '@tiptap/pm/model'
import { Transform } from '@tiptap/pm/transform'

import { schemaExtensions } from './extensions.ts'
import { restored } from './restore.ts'

const schema = getSchema(schemaExtensions)
const p = (text: string) => schema.node('paragraph', null, text ? [schema.text(text)] : [])
const item = (text: string) => schema.node('listItem', null, [p(text)])
const doc = (...nodes: Node[]) => schema.node('doc', null, nodes)

// put puts words back and returns what the note is then.
function put(note: Node, pos: number, words: string): string {
  const { at, blocks } = restored(note, pos, words)
  const after = new Transform(note).insert(at, blocks).doc
  after.check()
  return after.toString()
}

test('words go where they stood', () => {
  const note = doc(p('one'), p('two'))
  assert.equal(put(note, 0, 'A'), 'doc(paragraph("A"), paragraph("one"), paragraph("two"))')
  assert.equal(put(note, 5, ' A\n \nB '), 'doc(paragraph("one"), paragraph("A"), paragraph("B"), paragraph("two"))')
  assert.equal(put(note, 10, 'A'), 'doc(paragraph("one"), paragraph("two"), paragraph("A"))')
})

test('inside a paragraph they go behind it', () => {
  assert.equal(put(doc(p('one'), p('two')), 2, 'A'), 'doc(paragraph("one"), paragraph("A"), paragraph("two"))')
  const quote = doc(schema.node('blockquote', null, [p('one'), p('two')]))
  assert.equal(put(quote, 3, 'A'), 'doc(blockquote(paragraph("one"), paragraph("A"), paragraph("two")))')
})

test('in a list they become items', () => {
  const list = doc(schema.node('bulletList', null, [item('one'), item('two')]))
  assert.equal(
    put(list, 8, 'A'),
    'doc(bulletList(listItem(paragraph("one")), listItem(paragraph("A")), listItem(paragraph("two"))))',
  )
  assert.equal(put(list, 3, 'A'), 'doc(bulletList(listItem(paragraph("one"), paragraph("A")), listItem(paragraph("two"))))')
})

test('a place that is no more is the end', () => {
  assert.equal(put(doc(p('one')), 99, 'A'), 'doc(paragraph("one"), paragraph("A"))')
})
