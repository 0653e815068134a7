import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Editor } from '@tiptap/core'

const pressed: (() => void)[] = []
Object.assign(globalThis, { addEventListener: (_: string, f: () => void) => pressed.push(f) })
const { lookForCaret } = await import('./caret.ts')

test('the editor looks where the caret is once after a key, and never when it is gone', () => {
  let looked = 0
  const view = { composing: false, domObserver: { flush: () => looked++ } }
  const live = { isDestroyed: false, view } as unknown as Editor
  const gone = {
    isDestroyed: true,
    get view(): never {
      throw new Error('as Tiptap has it')
    },
  } as unknown as Editor

  lookForCaret(live)
  assert.equal(looked, 0)
  pressed[0]()
  lookForCaret(gone)
  lookForCaret(live)
  lookForCaret(live)
  assert.equal(looked, 1)
  pressed[0]()
  view.composing = true
  lookForCaret(live)
  assert.equal(looked, 1)
})
