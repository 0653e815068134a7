import assert from 'node:assert/strict'
import { test } from 'node:test'

import { kept } from './kept.ts'

test('an answer is kept for a minute, or until somebody comes back from another window; a failure changes nothing', async t => {
  t.mock.timers.enable({ apis: ['Date'] })
  let cameBack = () => {}
  Object.assign(globalThis, { addEventListener: (_: string, f: () => void) => (cameBack = f) })
  t.after(() => Reflect.deleteProperty(globalThis, 'addEventListener'))
  let asked = 0
  let line = false
  const names = kept(async () => {
    asked++
    if (!line) throw new Error('no line')
    return asked
  })
  await assert.rejects(names())
  line = true
  assert.equal(await names(), 2, 'it asks again')
  assert.equal(await names(), 2, 'it is kept')
  cameBack()
  assert.equal(await names(), 3)
  t.mock.timers.tick(60_000)
  line = false
  assert.equal(await names(), 3, 'without a line there is what was said before')
  assert.equal(asked, 4)
  line = true
  assert.equal(await names(), 5, 'it asks again at once')
})
