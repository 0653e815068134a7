import assert from 'node:assert/strict'
import { test } from 'node:test'

import { type Loss, sentence, together } from './losses.ts'

const loss = (id: string, text: string, other: Partial<Loss> = {}): Loss => ({
  id, text, author: { id: 'chen' }, by: { id: 'rivera', name: 'Rosa Rivera RN' }, bySeq: 4, replaced: true,
  place: [{ client: 1, clock: 1 }, { client: 1, clock: 0 }], ...other,
})

test('what went keystroke by keystroke is one', () => {
  const all = together([loss('7.0', 'ALLERGIC'), loss('6.0', ' '), loss('5.0', 'NOT')])
  assert.deepEqual(all.map(one => [one.words, one.ids]), [['NOT ALLERGIC', ['5.0', '6.0', '7.0']]])
})

test('other places, and other changes, are others', () => {
  const place = [{ client: 1, clock: 9 }]
  assert.deepEqual(together([loss('6.0', 'c', { bySeq: 5 }), loss('5.1', 'b', { place }), loss('5.0', 'a')]).map(one => one.words), ['a', 'b', 'c'])
})

test('white space is nothing to show', () => {
  assert.deepEqual(together([loss('5.0', ' \n')]), [])
})

test('it says who did what', () => {
  const said = (other: Partial<Loss>) => sentence(together([loss('5.0', 'a', other)])[0])
  assert.equal(said({}), 'Rosa Rivera RN changed the paragraph that you were typing in. These words of yours were removed:')
  assert.equal(said({ replaced: false }), 'Rosa Rivera RN deleted the paragraph that you were typing in. These words of yours were removed:')
  assert.equal(
    said({ by: { id: 'chen', name: 'Dr Mei Chen' } }),
    'You, in another window, changed the paragraph that you were typing in. These words of yours were removed:',
  )
})
