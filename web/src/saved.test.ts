import assert from 'node:assert/strict'
import { test } from 'node:test'

import { head, Ledger, type Line } from './saved.ts'

// frame builds name, type and payload as the provider does.
function frame(type: number, ...payload: number[]): Uint8Array {
  return new Uint8Array([3, 0x6e, 0x2d, 0x31, type, ...payload])
}

const step1 = () => frame(0, 0, 1, 0)
const step2 = () => frame(0, 1, 2, 0, 0)
const update = () => frame(0, 2, 2, 0, 0)
const answer = (saved: boolean) => frame(8, saved ? 1 : 0)

// type notes an edit and sends it, as an open, synced connection does.
function type(ledger: Ledger, line: Line): void {
  ledger.edited()
  assert.equal(line.sending(update()), true)
}

function connected(ledger: Ledger): Line {
  const line = ledger.open()
  line.sending(step1())
  line.sending(step2())
  line.received(answer(true))
  return line
}

test('an edit is unsaved until its own answer', () => {
  const ledger = new Ledger()
  const line = connected(ledger)
  type(ledger, line)
  type(ledger, line)
  assert.equal(ledger.unsaved, 2)
  line.received(answer(true))
  assert.equal(ledger.unsaved, 1)
  line.received(answer(true))
  assert.equal(ledger.unsaved, 0)
})

test('the first answer after reconnecting does not save what came later', () => {
  const ledger = new Ledger()
  connected(ledger).close()
  ledger.edited()
  ledger.edited()

  const line = ledger.open()
  line.sending(step1())
  line.sending(step2())
  type(ledger, line) // while the SyncStep2 is on its way
  assert.equal(ledger.unsaved, 3)
  line.received(answer(true))
  assert.equal(ledger.unsaved, 1, 'the SyncStep2 covers the two offline edits only')
  line.received(answer(true))
  assert.equal(ledger.unsaved, 0)
})

test('an update is held back until the SyncStep2 that carries it', () => {
  const ledger = new Ledger()
  connected(ledger).close()
  ledger.edited()
  const line = ledger.open()
  assert.equal(line.sending(update()), false)
  assert.equal(line.sending(step2()), true)
  line.received(answer(true))
  assert.equal(ledger.unsaved, 0)
})

test('what was sent on a broken connection stays unsaved', () => {
  const ledger = new Ledger()
  const line = connected(ledger)
  type(ledger, line)
  line.close()
  line.received(answer(true))
  assert.equal(ledger.unsaved, 1)
})

test('an answer too many saves nothing', () => {
  const ledger = new Ledger()
  const line = connected(ledger)
  line.received(answer(true))
  type(ledger, line)
  assert.equal(ledger.unsaved, 1)
})

test('a refused edit stays unsaved and does not save its neighbours', () => {
  const ledger = new Ledger()
  const line = connected(ledger)
  type(ledger, line)
  type(ledger, line)
  line.received(answer(false))
  assert.deepEqual([ledger.unsaved, ledger.refused], [2, 1])
  line.received(answer(true))
  assert.deepEqual([ledger.unsaved, ledger.refused], [1, 1])
})

test('a later SyncStep2 that is committed makes a refused edit good', () => {
  const ledger = new Ledger()
  const line = connected(ledger)
  type(ledger, line)
  line.received(answer(false))
  line.close()
  connected(ledger)
  assert.deepEqual([ledger.unsaved, ledger.refused], [0, 0])
})

test('a refused SyncStep2 refuses all that it carried', () => {
  const ledger = new Ledger()
  ledger.edited()
  ledger.edited()
  const line = ledger.open()
  line.sending(step2())
  line.received(answer(false))
  assert.deepEqual([ledger.unsaved, ledger.refused], [2, 2])
})

test('frames that ask for no answer are not counted', () => {
  const ledger = new Ledger()
  const line = connected(ledger)
  for (const f of [step1(), frame(1, 0), frame(2, 0, 0), new Uint8Array([10])]) {
    assert.equal(line.sending(f), true)
  }
  type(ledger, line)
  line.received(answer(true))
  assert.equal(ledger.unsaved, 0)
})

test('the head of a frame', () => {
  const long = new Uint8Array([0x81, 0x01, ...new Array(129).fill(0x61), 0, 2])
  const cases: [string, Uint8Array, { type: number; sub: number | undefined } | undefined][] = [
    ['an update', update(), { type: 0, sub: 2 }],
    ['a status', answer(true), { type: 8, sub: 1 }],
    ['a name of two length bytes', long, { type: 0, sub: 2 }],
    ['no payload', frame(3), { type: 3, sub: undefined }],
    ['a pong', new Uint8Array([10]), undefined],
    ['a name that is cut short', new Uint8Array([9, 0x61]), undefined],
    ['nothing', new Uint8Array(), undefined],
  ]
  for (const [name, bytes, want] of cases) assert.deepEqual(head(bytes), want, name)
})
