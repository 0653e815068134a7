import assert from 'node:assert/strict'
import { test } from 'node:test'

import { getSchema } from '@tiptap/core'
import { splitBlock, toggleMark, joinBackward, setBlockType } from '@tiptap/pm/commands'
import { Fragment, type Node, Slice } from '@tiptap/pm/model'
import { EditorState, TextSelection, type Transaction } from '@tiptap/pm/state'

import { schemaExtensions } from './extensions.ts'
import { decide, proposed, suggestionsIn, unstruck } from './proposed.ts'

const schema = getSchema(schemaExtensions)

/** A note of lines; | is the caret, or both ends of what is selected. */
function note(...lines: (string | Node)[]): EditorState {
  const ends: number[] = []
  let at = 0
  const blocks = lines.map(l => {
    if (typeof l !== 'string') {
      at += l.nodeSize
      return l
    }
    const parts = l.split('|')
    let offset = at + 1
    for (const p of parts.slice(0, -1)) ends.push((offset += p.length))
    const text = parts.join('')
    const block = schema.nodes.paragraph.create(null, text ? schema.text(text) : undefined)
    at += block.nodeSize
    return block
  })
  const doc = schema.nodes.doc.create(null, blocks)
  const state = EditorState.create({ doc })
  return ends.length === 0 ? state : state.apply(state.tr.setSelection(TextSelection.create(doc, ends[0], ends.at(-1))))
}

/** What a note says: [-deleted-], {+added+}, with the ids; | is the caret. */
function says(state: EditorState): string {
  const lines: string[] = []
  state.doc.descendants((node, at) => {
    if (!node.isTextblock) return true
    let line = ''
    node.forEach((child, offset) => {
      const from = at + 1 + offset
      const { head } = state.selection
      let text = child.isText ? child.text! : child.type.name === 'mention' ? '@' : '/'
      if (child.isText && head > from && head < from + child.nodeSize) text = `${text.slice(0, head - from)}|${text.slice(head - from)}`
      for (const m of [...child.marks].reverse()) {
        if (m.type.name === 'insertion') text = `{+${m.attrs.id}:${text}+}`
        if (m.type.name === 'deletion') text = `[-${m.attrs.id}:${text}-]`
        if (m.type.name === 'bold') text = `*${text}*`
      }
      line += (head === from ? '|' : '') + text
    })
    if (state.selection.head === at + node.nodeSize - 1) line += '|'
    lines.push(line)
    return false
  })
  return lines.join('\n')
}

/** Somebody suggests: each edit in turn, under ids a, b, ... */
class Suggester {
  #mine = new Set<string>()
  #ids = 'abcdefgh'.split('')
  state: EditorState
  constructor(state: EditorState) {
    this.state = state
  }

  does(make: (state: EditorState) => Transaction | undefined): this {
    const tr = make(this.state)
    assert.ok(tr, 'there is no such edit')
    const out = proposed(this.state, tr, id => this.#mine.has(id), this.#ids[0])
    assert.ok(out, 'it cannot be suggested')
    this.state = this.state.apply(out)
    for (const s of suggestionsIn(this.state.doc)) if (s.id === this.#ids[0]) this.#mine.add(this.#ids.shift()!)
    return this
  }

  refuses(make: (state: EditorState) => Transaction | undefined): this {
    const tr = make(this.state)
    assert.ok(tr, 'there is no such edit')
    assert.equal(proposed(this.state, tr, id => this.#mine.has(id), 'x'), undefined)
    return this
  }

  says(want: string): this {
    assert.equal(says(this.state), want)
    return this
  }
}

const types = (text: string) => (s: EditorState) => s.tr.insertText(text)
const back = (n = 1) => (s: EditorState) => s.tr.delete(s.selection.head - n, s.selection.head)
const on = (n = 1) => (s: EditorState) => s.tr.delete(s.selection.head, s.selection.head + n)
const cut = (s: EditorState) => s.tr.deleteSelection()
const goes = (n: number) => (s: EditorState) => s.tr.setSelection(TextSelection.create(s.doc, n))
function by(command: (s: EditorState, dispatch: (tr: Transaction) => void) => boolean): (s: EditorState) => Transaction | undefined {
  return s => {
    let made: Transaction | undefined
    command(s, tr => (made = tr))
    return made
  }
}
const place = (s: Suggester, n: number): Suggester => {
  s.state = s.state.apply(goes(n)(s.state))
  return s
}

test('what is typed and deleted is marked, and taken back', () => {
  const s = new Suggester(note('give 40| mg')).does(back()).says('give 4|[-a:0-] mg').does(back()).says('give |[-a:40-] mg')
  s.does(types('8')).does(types('0')).says('give {+a:80+}|[-a:40-] mg')
  s.does(back()).says('give {+a:8+}|[-a:40-] mg').does(back()).says('give |[-a:40-] mg')
})

test('Delete goes on behind what it strikes, and over what is struck', () => {
  new Suggester(note('|abc')).does(on()).says('[-a:a-]|bc').does(on()).says('[-a:ab-]|c').does(back()).says('[-a:a|b-]c').does(on()).says('[-a:ab-]|c')
})

test('what is typed over a selection stands behind it', () => {
  new Suggester(note('see |him| now')).does(types('her')).says('see [-a:him-]{+a:her+}| now')
  new Suggester(note('a|bc', 'de|f')).does(cut).says('a|[-a:bc-]\n[-a:de-]f')
  new Suggester(note('a|bc', 'de|f')).does(types('x')).says('a[-a:bc-]\n[-a:de-]{+a:x+}|f')
  new Suggester(note('a|bc', '', 'de|f')).does(s => s.tr.replaceSelection(new Slice(Fragment.from(schema.text('*')), 0, 0))).says('a[-a:bc-]\n\n[-a:de-]{+a:*+}|f')
})

test("another's suggestion stays, and its marks are not taken on", () => {
  const ins = schema.mark('insertion', { id: 'z' })
  const del = schema.mark('deletion', { id: 'z' })
  const line = schema.nodes.paragraph.create(null, [schema.text('ab', [ins]), schema.text('cd', [del])])
  const s = place(new Suggester(note(line)), 2).does(types('x')).says('{+z:a+}{+a:x+}|{+z:b+}[-z:cd-]')
  place(s, 4).does(back()).says('{+z:a+}{+a:x+}|{+z:[-a:b-]+}[-z:cd-]')
  place(s, 6).does(back()).says('{+z:a+}{+a:x+}{+z:[-a:b-]+}[-z:c|d-]')
})

test('two edits at once are two, and what lies between stays', () => {
  new Suggester(note('abcdef|')).does(s => s.tr.delete(2, 3).insertText('x', 4, 5)).says('a[-a:b-]cd[-a:e-]{+a:x+}f|')
})

test('lines, lists and formatting are not suggested; what has no words is made at once', () => {
  new Suggester(note('ab|cd')).refuses(by(splitBlock))
  new Suggester(note('ab', '|cd')).refuses(by(joinBackward))
  new Suggester(note('a|b|c')).refuses(by(toggleMark(schema.marks.bold)))
  new Suggester(note('a|bc')).refuses(by(setBlockType(schema.nodes.heading, { level: 1 })))
  new Suggester(note('a|bc')).refuses(s => s.tr.replaceSelectionWith(schema.node('mention', { id: 'x', label: 'Ada' })))
  new Suggester(note('a|bc|d')).refuses(s => s.tr.replaceSelection(new Slice(Fragment.from([schema.node('paragraph', null, schema.text('x')), schema.node('paragraph', null, schema.text('y'))]), 1, 1)))
  const s = new Suggester(note('abc|')).does(by(splitBlock)).says('abc\n|').does(types('d')).says('abc\n{+a:d+}|').does(back()).says('abc\n|').does(by(joinBackward)).says('abc|')
  s.does(types('new')).does(s => s.tr.addMark(4, 6, schema.mark('bold'))).says('abc{+b:*ne*+}{+b:w+}|')
})

test('what is decided on is done, and no more', () => {
  const ins = (id: string) => schema.mark('insertion', { id })
  const del = (id: string) => schema.mark('deletion', { id })
  const doc = () =>
    note(
      schema.nodes.paragraph.create(null, [
        schema.text('give '), schema.text('40', [del('a')]), schema.text('80', [ins('a'), schema.mark('bold')]), schema.text(' mg '),
        schema.text('at ', [del('b')]), schema.node('mention', { label: 'Ada' }), schema.text(' noon', [del('b')]), schema.text('x', [ins('c'), del('b')]),
      ]),
    )
  const after = (ids: string, accept: boolean) => {
    const state = doc()
    return says(state.apply(decide(state, suggestionsIn(state.doc).filter(s => ids.includes(s.id)), accept)))
  }
  assert.deepEqual(suggestionsIn(doc().doc).map(s => `${s.id}${s.all.length}`), ['a2', 'b2', 'c1'])
  assert.equal(after('a', true), '|give *80* mg [-b:at -]@[-b: noon-]{+c:[-b:x-]+}')
  assert.equal(after('a', false), '|give 40 mg [-b:at -]@[-b: noon-]{+c:[-b:x-]+}')
  assert.equal(after('b', true), '|give [-a:40-]{+a:*80*+} mg ')
  assert.equal(after('c', true), '|give [-a:40-]{+a:*80*+} mg [-b:at -]@[-b: noonx-]')
  assert.equal(after('c', false), '|give [-a:40-]{+a:*80*+} mg [-b:at -]@[-b: noon-]')
  assert.equal(after('abc', true), '|give *80* mg ')
  assert.equal(after('abc', false), '|give 40 mg at @ noon')
})

test('who does not suggest, and types among struck words, strikes nothing', () => {
  const state = place(new Suggester(note(schema.nodes.paragraph.create(null, schema.text('abcd', [schema.mark('deletion', { id: 'z' })])))), 3).state
  assert.equal(says(state.apply(unstruck(state.tr.insertText('x')))), '[-z:ab-]x|[-z:cd-]')
  assert.equal(says(state.apply(unstruck(state.tr.split(3)))), '[-z:ab-]\n|[-z:cd-]')
})

test('what has no id is one wherever it begins', () => {
  const bare = schema.mark('insertion')
  const state = note(schema.nodes.paragraph.create(null, [schema.text('a', [bare]), schema.text('b', [bare, schema.mark('bold')]), schema.text('c'), schema.text('d', [bare])]))
  assert.deepEqual(suggestionsIn(state.doc).map(s => s.all.map(r => [r.from, r.to])), [[[1, 3]], [[4, 5]]])
})
