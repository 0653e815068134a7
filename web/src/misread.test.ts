import assert from 'node:assert/strict'
import { test } from 'node:test'

import cases from '../../server/misread/testdata/cases.json'
import { misread } from './misread.ts'
import { beingWritten } from './misreadings.ts'

test('what is easily misread is found as the server finds it', () => {
  assert.ok(cases.length >= 40)
  for (const c of cases) {
    const text = c.text.replace(/[«»]/g, '')
    let marked = ''
    let at = 0
    const found = misread(text)
    for (const p of found) {
      marked += `${text.slice(at, p.from)}«${text.slice(p.from, p.to)}»`
      at = p.to
    }
    assert.equal(marked + text.slice(at), c.text)
    assert.deepEqual(found.map(p => p.instead[0].trim()), c.to)
  }
})

test('a long line takes no longer than its letters', () => {
  for (const text of ['1'.repeat(20_000), '.0'.repeat(10_000), '10 mg SC '.repeat(2_000), 'q'.repeat(20_000)]) {
    const began = performance.now()
    misread(text)
    assert.ok(performance.now() - began < 400, `${text.slice(0, 9)}: ${performance.now() - began} ms`)
  }
})

test('what somebody is typing waits until they go on', () => {
  const [u] = misread('give 10 U')
  assert.ok(u.from === 7 && beingWritten(u, 9))
  assert.ok(!beingWritten(u, 10) && !beingWritten(u, undefined) && !beingWritten(u, 3))
  const [trailing] = misread('1.0 mg')
  assert.ok(beingWritten(trailing, 6), 'its unit belongs to it')
})
