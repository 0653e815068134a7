import assert from 'node:assert/strict'
import { test } from 'node:test'

import { allKeys, fits, onKey, tellKey } from './keys.ts'

const pressed = (key: string, more: object = {}) => ({ key, code: '', altKey: false, ctrlKey: false, metaKey: false, shiftKey: false, ...more })

test('a key is what was pressed with it, and nothing more', () => {
  assert.ok(fits(pressed('F2'), 'F2'))
  assert.ok(!fits(pressed('F2', { shiftKey: true }), 'F2'))
  assert.ok(fits(pressed('F2', { shiftKey: true }), 'Shift+F2'))
  assert.ok(fits(pressed('f', { ctrlKey: true }), 'Ctrl+F'))
  assert.ok(fits(pressed('f', { metaKey: true }), 'Ctrl+F'), 'the command key')
  assert.ok(!fits(pressed('f'), 'Ctrl+F'))
  assert.ok(!fits(pressed('F', { ctrlKey: true, shiftKey: true }), 'Ctrl+F'))
})

test('signs are where a keyboard has them', () => {
  assert.ok(fits(pressed('?', { shiftKey: true }), '?'))
  assert.ok(fits(pressed('/', { ctrlKey: true, shiftKey: true }), 'Ctrl+/'), 'a German keyboard')
  assert.ok(!fits(pressed('?', { ctrlKey: true }), '?'))
})

test('a letter with Alt is known by its place', () => {
  assert.ok(fits(pressed('å', { altKey: true, code: 'KeyA' }), 'Alt+A'))
  assert.ok(!fits(pressed('u', { ctrlKey: true, code: 'KeyF' }), 'Ctrl+F'), 'a Dvorak keyboard')
})

test('the list has what works now, and what is told of once', () => {
  const off = onKey('F2', 'Next', () => {})
  tellKey('Tab', 'Onwards')
  tellKey('Tab', 'Onwards')
  assert.deepEqual(allKeys().map(k => k.keys), ['F2', 'Tab'])
  off()
  off()
  assert.deepEqual(allKeys().map(k => k.keys), ['Tab'])
})
