import assert from 'node:assert/strict'
import { test } from 'node:test'

import { type Link, status } from './status.ts'

const at = new Date(2026, 2, 9, 7, 5)
const live: Link = { is: 'live' }
const offline: Link = { is: 'offline' }
const ended: Link = { is: 'ended', why: 'Your sign-in has ended.' }

test('the words of the status', () => {
  const cases: [string, Parameters<typeof status>, string, string][] = [
    ['before the first sync', [{ unsaved: 0, refused: 0 }, { is: 'connecting' }, true], 'connecting', 'Connecting…'],
    ['nothing typed yet', [{ unsaved: 0, refused: 0 }, live, true], 'saved', 'Saved'],
    ['an edit on its way', [{ unsaved: 1, refused: 0 }, live, true, at], 'saving', 'Saving…'],
    ['all edits committed', [{ unsaved: 0, refused: 0 }, live, true, at], 'saved', 'Saved 07:05'],
    ['offline, nothing typed', [{ unsaved: 0, refused: 0 }, offline, true, at], 'offline', 'Offline: nothing unsaved'],
    ['offline, one change', [{ unsaved: 1, refused: 0 }, offline, true, at], 'offline', 'Offline: 1 change not saved yet'],
    ['offline, many changes', [{ unsaved: 12, refused: 0 }, offline, true], 'offline', 'Offline: 12 changes not saved yet'],
    ['offline, words', [{ unsaved: 40, refused: 0, words: 3 }, offline, true], 'offline', 'Offline: 3 words not saved yet'],
    ['an edit on its way for long', [{ unsaved: 9, refused: 0, words: 1, slow: true }, live, true, at], 'saving', 'Saving… 1 word not saved yet'],
    ['words that were refused', [{ unsaved: 9, refused: 1, words: 2 }, live, true, at], 'refused', 'Not saved: 2 words'],
    ['a reader', [{ unsaved: 0, refused: 0 }, live, false], 'readonly', 'Read-only'],
    ['a note that somebody holds still', [{ unsaved: 0, refused: 0 }, live, false, at, undefined, true], 'readonly', 'Held still'],
    ['a refused edit', [{ unsaved: 2, refused: 1 }, live, true, at], 'refused', 'Not saved: 2 changes'],
    ['a refused edit, then offline', [{ unsaved: 2, refused: 1 }, offline, true, at], 'refused', 'Not saved: 2 changes'],
    ['signed out with nothing unsaved', [{ unsaved: 0, refused: 0 }, ended, true, at], 'ended', 'Disconnected'],
    ['signed out with a change', [{ unsaved: 1, refused: 0 }, ended, true, at], 'ended', 'Not saved: 1 change'],
  ]
  for (const [name, args, state, text] of cases) {
    const got = status(...args)
    assert.deepEqual([got.state, got.text], [state, text], name)
  }
})

test('Saved is never said while something is not', () => {
  const links: Link[] = [{ is: 'connecting' }, live, offline, ended]
  for (const link of links) {
    for (const editable of [true, false]) {
      for (const refused of [0, 1]) {
        const s = status({ unsaved: 1, refused }, link, editable, at)
        assert.doesNotMatch(s.text, /^Saved/, `${link.is}, editable ${editable}, refused ${refused}`)
      }
    }
  }
})

test('what must not be missed', () => {
  assert.match(status({ unsaved: 1, refused: 1 }, live, true).alert ?? '', /refused 1 change\. 1 change on this page is not saved/)
  assert.match(status({ unsaved: 2, refused: 0 }, ended, true).alert ?? '', /sign-in has ended\. 2 changes on this page are not saved/)
  assert.match(status({ unsaved: 2, refused: 0 }, live, false).alert ?? '', /2 changes on this page are not saved/)
  assert.match(status({ unsaved: 2, refused: 0 }, live, false, at, undefined, true).alert ?? '', /2 changes on this page wait until the note is let go of/)
  assert.match(status({ unsaved: 2, refused: 0 }, offline, true, at, at.getTime()).alert ?? '', /sent when the connection is back\. Your sign-in ends at 07:05 .* is lost/)
  assert.equal(status({ unsaved: 0, refused: 0 }, offline, true, at, at.getTime()).alert, undefined)
  assert.equal(status({ unsaved: 0, refused: 0 }, live, false).alert, undefined)
  assert.equal(status({ unsaved: 1, refused: 0 }, live, true).alert, undefined)
})
