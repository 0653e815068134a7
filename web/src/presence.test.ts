import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Awareness } from 'y-protocols/awareness'
import * as Y from 'yjs'

import { initials, person, sayNewsOnly } from './presence.ts'

test('a person is read from a presence state, trusting nothing', () => {
  const cases: [string, unknown, unknown][] = [
    ['stamped', { id: 'u1', name: 'Dr Mei Chen', color: '#0b6e99', colorIndex: 0, role: 'attending' }, { id: 'u1', name: 'Dr Mei Chen', index: 0, color: '#0b6e99' }],
    ['no id', { name: 'Dr Mei Chen' }, { id: 'Dr Mei Chen', name: 'Dr Mei Chen' }],
    ['style in the colour', { id: 'u1', name: 'A', color: 'red;background:url(//x)' }, { id: 'u1', name: 'A' }],
    ['a short colour', { id: 'u1', name: 'A', color: '#fff' }, { id: 'u1', name: 'A' }],
    ['an index too large', { id: 'u1', name: 'A', colorIndex: 8 }, { id: 'u1', name: 'A' }],
    ['an index that is no number', { id: 'u1', name: 'A', colorIndex: '0' }, { id: 'u1', name: 'A' }],
    ['no name', { id: 'u1' }, undefined],
    ['an empty name', { id: 'u1', name: '' }, undefined],
    ['a text', 'Dr Mei Chen', undefined],
    ['nothing', null, undefined],
  ]
  for (const [name, state, want] of cases) assert.deepEqual(person(state), want, name)
  assert.equal(person({ name: 'x'.repeat(500) })?.name.length, 80)
})

test('initials', () => {
  const cases: [string, string][] = [
    ['Dr Mei Chen', 'MC'],
    ['Rosa Rivera RN', 'RR'],
    ['Lina Maria Haddad RN', 'LH'],
    ['Petra', 'P'],
    ['Éloïse Ångström', 'ÉÅ'],
    ['Dr', ''],
    ['', ''],
  ]
  for (const [name, want] of cases) assert.equal(initials(name), want, name)
})

test('what has not changed is not said again, but that one is there is', () => {
  const awareness = new Awareness(new Y.Doc())
  let said = 0
  awareness.on('update', () => said++)
  sayNewsOnly(awareness)
  const at = (clock: number) => ({ anchor: Y.createRelativePositionFromJSON({ item: { client: 1, clock } }), head: { item: { client: 1, clock } } })
  for (const [value, want] of [[at(1), 1], [at(1), 1], [at(2), 2], [null, 3], [null, 3], [at(2), 4]] as const) {
    awareness.setLocalStateField('cursor', value)
    assert.equal(said, want)
  }
  awareness.setLocalState(awareness.getLocalState()) // as it does by itself every 15 seconds
  assert.equal(said, 5)
  awareness.destroy()
})
