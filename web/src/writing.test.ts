import assert from 'node:assert/strict'
import { test } from 'node:test'

import { getSchema } from '@tiptap/core'
import { EditorState, TextSelection } from '@tiptap/pm/state'

import { schemaExtensions } from './extensions.ts'
import { fold, matches } from './find.ts'
import { named } from './mentions.ts'
import { blocksOf, found } from './phrases.ts'
import { stopFrom, stopsOf } from './stops.ts'
import { openAt, type Offer } from './suggest.ts'

const schema = getSchema(schemaExtensions)
const paragraph = (...said: string[]) => ({ type: 'paragraph', content: said.map(text => (text === '\n' ? { type: 'hardBreak' } : { type: 'text', text })) })
const doc = (...content: object[]) => schema.nodeFromJSON({ type: 'doc', content })

test('what is found has its place in the text as it stands', () => {
  const look = (text: string, wanted: string) => matches(fold(text), fold(wanted).text).map(m => text.slice(m.from, m.to))
  assert.deepEqual(look('Café, CAFE', 'cafe'), ['Café', 'CAFE'])
  assert.deepEqual(look('Cafe\u0301 noir', 'CAFÉ'), ['Cafe\u0301'], 'an accent of its own')
  assert.deepEqual(look('😀 5\u00a0mg', '5 mg'), ['5\u00a0mg'])
  assert.deepEqual(look('aaa', 'aa'), ['aa'])
  assert.deepEqual(look('anything', ''), [])
})

test('stops are three asterisks or more, in the order of the note, and gone through around its ends', () => {
  const note = doc(paragraph('BP ***, ** and ****'), { type: 'bulletList', content: [{ type: 'listItem', content: [paragraph('a', '\n', '***')] }] })
  const stops = stopsOf(note)
  assert.deepEqual(stops.map(s => note.textBetween(s.from, s.to)), ['***', '****', '***'])
  const [first, second, third] = stops
  assert.equal(stopFrom(stops, { from: 1, to: 1 }, false), first)
  assert.equal(stopFrom(stops, first, false), second)
  assert.equal(stopFrom(stops, third, false), first)
  assert.equal(stopFrom(stops, first, true), third)
  assert.equal(stopFrom(stops, third, true), second)
  assert.equal(stopFrom([], first, false), undefined)
})

test('a sign opens its list at the beginning of a line or behind a space only', () => {
  const offers: Offer[] = [
    { label: 'slash', behind: /\/([\p{L}\p{N}]*)/u, choices: () => [] },
    { label: 'phrase', behind: /\.(\p{L}[\p{L}\p{N}-]*)/u, choices: () => [] },
  ]
  const open = (text: string) => {
    const note = doc(paragraph(...text.split(/(\n)/).filter(Boolean)))
    const state = EditorState.create({ doc: note, selection: TextSelection.create(note, note.content.size - 1) })
    const o = openAt(state, offers)
    return o && `${o.offer.label}:${o.wanted}:${note.textBetween(o.typed.from, o.typed.to)}`
  }
  assert.equal(open('/'), 'slash::/')
  assert.equal(open('x\n/li'), 'slash:li:/li')
  assert.equal(open('BP 120/80'), undefined)
  assert.equal(open('mg/'), undefined)
  assert.equal(open('see .chest'), 'phrase:chest:.chest')
  assert.equal(open('end.'), undefined)
  assert.equal(open('give .5'), undefined, 'a dose is no phrase')
  assert.equal(open(`${'/'.repeat(80)}a`), undefined)
})

test('a phrase is found by how its name begins, then by what is in it', () => {
  const all = ['fallchest', 'chest', 'chestpain', 'abd'].map(name => ({ id: name, name }))
  assert.deepEqual(found(all, 'CHEST').map(p => p.name), ['chest', 'chestpain', 'fallchest'])
})

test('the lines of a phrase are paragraphs, and its dashes a list', () => {
  const blocks = blocksOf(schema, 'Chest clear.\n\n- air entry ***\n-  no wheeze\nHeart: ***\n')
  assert.deepEqual(blocks.map(b => `${b.type.name}:${b.textBetween(0, b.content.size, '|')}`), ['paragraph:Chest clear.', 'bulletList:air entry ***|no wheeze', 'paragraph:Heart: ***'])
  for (const b of blocks) b.check()
})

test('a colleague is found by how any of their names begins, or what they are', () => {
  const all = ['Dr Mei Chen', 'Rosa Rivera RN', 'Inés Duarte'].map((name, i) => ({ id: String(i), name, roleName: i === 1 ? 'charge nurse' : 'attending' }))
  const names = (wanted: string) => named(all, wanted).map(c => c.name)
  assert.deepEqual(names('RIV'), ['Rosa Rivera RN'])
  assert.deepEqual(names('ines'), ['Inés Duarte'])
  assert.deepEqual(names('rosa riv'), ['Rosa Rivera RN'])
  assert.deepEqual(names('nur'), ['Rosa Rivera RN'])
  assert.deepEqual(names(''), all.map(c => c.name))
  assert.deepEqual(names('vera'), [])
  assert.deepEqual(names('rosa chen'), [])
})
