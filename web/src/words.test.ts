import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as Y from 'yjs'

import { Ledger } from './saved.ts'
import { wordsOf } from './words.ts'

test('words are those that the unsaved edits brought, and that are there still', () => {
  const doc = new Y.Doc()
  const text = doc.getText('t')
  const ledger = new Ledger()
  doc.on('update', (_u: Uint8Array, _o: unknown, _d: Y.Doc, tr: Y.Transaction) => {
    ledger.edited({ from: tr.beforeState.get(doc.clientID) ?? 0, to: tr.afterState.get(doc.clientID) ?? 0 })
  })
  const unsaved = () => wordsOf(doc, ledger.wrote)
  assert.equal(unsaved(), 0)
  for (const [i, letter] of [...'Weight 71.4 kg'].entries()) text.insert(i, letter)
  assert.equal(unsaved(), 3)
  ledger.settle({ whole: true, last: ledger.newest }, true)
  assert.equal(unsaved(), 0)
  text.insert(1, 'x') // in a word that is saved
  assert.equal(unsaved(), 1)
  text.insert(text.length, ' .')
  assert.equal(unsaved(), 1, 'a point is no word')
  text.insert(0, 'Her ')
  assert.equal(unsaved(), 2)
  text.delete(0, 4)
  assert.equal(unsaved(), 1, 'what was taken out again')
  assert.equal(ledger.unsaved, 4)
  ledger.settle({ whole: false, last: 15 }, true)
  assert.equal(unsaved(), 0)
  assert.equal(ledger.unsaved, 3)
})
