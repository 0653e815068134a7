import * as Y from 'yjs'
import { getSchema } from '@tiptap/core'
import { Fragment, Slice } from '@tiptap/pm/model'
import { EditorState } from '@tiptap/pm/state'
import { canJoin, canSplit, findWrapping, liftTarget } from '@tiptap/pm/transform'
import StarterKit from '@tiptap/starter-kit'
import { initProseMirrorDoc, prosemirrorJSONToYXmlFragment } from '@tiptap/y-tiptap'

import { Moves } from '../../../web/src/moves.ts'
import { nameNeighbours } from '../../../web/src/neighbours.ts'
import { write as writeTo } from '../../../web/src/strokes.ts'

// Scribes write one note with ProseMirror, y-tiptap and Yjs's own undo: each character that they write is one that nobody else
// ever writes, so that whoever reads the note knows who wrote it, with which row of the log, and whether it was pasted.
// Each line is a row, who brought it, and what the code of the page says that it moved; the last one says what is known of each
// character, and what the note says to whom.
//
// If all is plain, each sees what the others did before doing anything; if they are calm, they undo what they have just done,
// too; if they are lively, they write at once, undo anything, and are away at times.
//
//	node scribes.mjs SEED ROWS plain|calm|lively [cut] [stock]
//
// Only if it says so they cut text and paste it elsewhere later, which nobody can tell from writing who is not told. Stock
// editors send what Yjs's undo makes as it makes it.

const [seed, rows] = process.argv.slice(2, 4).map(Number)
const mode = process.argv[4] // plain, calm or lively
const calm = mode !== 'lively'
const cuts = process.argv.includes('cut', 5)
const stock = process.argv.includes('stock', 5)

let state = seed + 1
const int = n => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return Math.floor(state / 2 ** 32 * n)
}
const pick = a => a[int(a.length)]

const schema = getSchema([StarterKit.configure({ undoRedo: false, trailingNode: false })])
const { bold, italic } = schema.marks
const { paragraph, heading, blockquote, bulletList, codeBlock } = schema.nodes
const b64 = u => Buffer.from(u).toString('base64')

const written = {} // by character: who, seq, pasted
let next = 0x4e00
const fresh = (who, pasted) => {
  if (next === 0xa000) next = 0x20000
  const c = String.fromCodePoint(next)
  next++
  written[c] = { who, pasted, seq: 0 }
  return c
}

const server = new Y.Doc()
const lines = []
const store = (who, update, fresh, did, moves) => {
  Y.applyUpdate(server, update)
  lines.push({ who, update: b64(update), did, client: 100 + who, moves })
  for (const c of fresh) if (!written[c].seq) written[c].seq = lines.length + 1 // behind the row that the note was created with
}

const people = [0, 1, 2].map(i => {
  const doc = new Y.Doc()
  doc.clientID = 100 + i
  const f = doc.getXmlFragment('default')
  const um = new Y.UndoManager(f, { trackedOrigins: new Set(['own']), captureTimeout: 2 ** 40 })
  const p = { i, doc, f, um, out: [], fresh: [], online: true, moved: [] }
  if (!stock) nameNeighbours(doc)
  p.moves = new Moves(f, tr => (tr.origin === 'own' ? p.edit : undefined), moves => p.moved.push(...moves))
  doc.on('update', (u, origin) => { if (origin !== server) p.out.push({ u, did: p.did, moves: p.moved.splice(0) }) })
  return p
})

// change has the person's editor do something, as its binding does: the note becomes what the transaction says.
const change = (p, f) => {
  const { doc, meta } = p.moves.render(() => initProseMirrorDoc(p.f, schema))
  const tr = EditorState.create({ schema, doc }).tr
  f(tr)
  if (!tr.docChanged) return
  p.edit = { before: doc, after: tr.doc, maps: tr.mapping.maps, event: tr.getMeta('uiEvent') }
  p.doc.transact(() => writeTo(p.edit, p.f, meta), 'own')
}

const blocks = doc => {
  const all = []
  doc.descendants((node, pos) => { if (node.isTextblock) all.push({ node, pos, from: pos + 1, to: pos + 1 + node.content.size }) })
  return all
}
const span = b => {
  const from = b.from + int(b.to - b.from + 1)
  return [from, from + int(Math.min(12, b.to - from + 1))]
}

const write = (p, tr, at, n, pasted) => {
  let text = ''
  while (text.length < n) text += fresh(p.i, pasted)
  p.fresh.push(...text)
  tr.insertText(text, at)
}

const edits = {
  type: (p, tr, b) => write(p, tr, b.from + int(b.to - b.from + 1), 1, false),
  word: (p, tr, b) => write(p, tr, b.to, 1 + int(8), false),
  paste: (p, tr, b) => write(p, tr, span(b)[0], 33 + int(20), true),
  replace: (p, tr, b) => {
    const [from, to] = span(b)
    tr.delete(from, to)
    write(p, tr, from, 1 + int(4), false)
  },
  delete: (_, tr, b) => tr.delete(...span(b)),
  backspace: (_, tr, b) => { if (b.to > b.from) tr.delete(b.to - 1, b.to) },
  across: (_, tr, b) => {
    const other = pick(blocks(tr.doc))
    const [from, to] = b.from < other.from ? [b, other] : [other, b]
    const ends = [span(from)[0], span(to)[0]].sort((a, b) => a - b)
    if (int(4) === 0) tr.deleteRange(...ends)
  },
  format: (_, tr, b) => tr.addMark(...span(b), pick([bold, italic]).create()),
  unformat: (_, tr, b) => tr.removeMark(...span(b), bold),
  split: (_, tr, b) => {
    const [at] = span(b)
    if (canSplit(tr.doc, at)) tr.split(at)
  },
  join: (_, tr, b) => { if (canJoin(tr.doc, b.pos) && tr.doc.resolve(b.pos).nodeBefore.isTextblock) tr.join(b.pos) },
  block: (_, tr, b) => tr.setBlockType(b.from, b.to, ...pick([[paragraph], [heading, { level: 1 + int(3) }], [codeBlock]])),
  wrap: (_, tr, b) => {
    const range = tr.doc.resolve(b.from).blockRange()
    const wrapping = range && findWrapping(range, pick([bulletList, blockquote]))
    if (wrapping) tr.wrap(range, wrapping)
  },
  lift: (_, tr, b) => {
    const range = tr.doc.resolve(b.from).blockRange()
    const target = range && liftTarget(range)
    if (target !== null && target !== undefined) tr.lift(range, target)
  },
  retype: (_, tr, b) => { // the same text anew, as a paste of what is there
    tr.replaceWith(b.pos, b.pos + b.node.nodeSize, b.node.type.create({ ...b.node.attrs }, Fragment.from(b.node.content)))
  },
  move: (_, tr, b) => { // dragged
    const [from, to] = span(b)
    const slice = new Slice(tr.doc.slice(from, to).content, 0, 0)
    const text = tr.doc.textBetween(from, to)
    if (text.length < 4 || slice.content.childCount !== 1) return
    tr.delete(from, to)
    tr.insertText(text, pick(blocks(tr.doc)).from)
  },
  cut: (p, tr, b) => {
    const [from, to] = span(b)
    p.clip = tr.doc.textBetween(from, to)
    tr.delete(from, to).setMeta('uiEvent', 'cut')
  },
  insert: (p, tr, b) => { // what was cut, unless some of it is there again: that would be new text
    const there = tr.doc.textContent
    if (!p.clip || [...p.clip].some(c => there.includes(c))) return
    tr.insertText(p.clip, span(b)[0]).setMeta('uiEvent', 'paste')
  },
}
const often = ['type', 'type', 'type', 'word', 'word', 'word', 'backspace', 'backspace', 'delete', ...Object.keys(edits).filter(name => cuts || (name !== 'cut' && name !== 'insert'))]

const edit = p => {
  const name = p.did = pick(often)
  change(p, tr => edits[name](p, tr, pick(blocks(tr.doc))))
}
const pops = name => p => {
  p.did = name
  try {
    p.um[name]()
  } catch (e) { // of Yjs: what is to be put back stood in what was collected; the page goes on, too
    if (!(e instanceof TypeError)) throw e
  }
}
const undo = pops('undo')
const redo = pops('redo')

const act = p => {
  if (int(3) === 0) p.um.stopCapturing()
  const n = int(12)
  if (n < 2) undo(p)
  else if (n === 2) redo(p)
  else edit(p)
}

const deliver = p => {
  const updates = p.out.splice(0)
  if (updates.length === 0) return
  if (p.online) {
    const chars = new Set(p.fresh)
    for (const { u, did, moves } of updates) {
      const says = JSON.stringify(Y.decodeUpdate(u).structs.map(s => s.content?.str ?? ''))
      store(p.i, u, [...chars].filter(c => says.includes(c)), did, moves)
    }
  } else { // back after a while: all of it at once
    store(p.i, Y.encodeStateAsUpdate(p.doc, Y.encodeStateVector(server)), p.fresh, updates.map(x => x.did).join(' '), updates.flatMap(x => x.moves))
  }
  p.fresh = []
}
const hear = p => Y.applyUpdate(p.doc, Y.encodeStateAsUpdate(server, Y.encodeStateVector(p.doc)), server)

const first = new Y.Doc()
first.clientID = 99
prosemirrorJSONToYXmlFragment(schema, { type: 'doc', content: ['Subjective', '', 'Plan', ''].map(text => ({ type: 'paragraph', content: text ? [{ type: 'text', text }] : [] })) }, first.getXmlFragment('default'))
const template = Y.encodeStateAsUpdate(first)
Y.applyUpdate(server, template)
people.forEach(hear)

for (let turns = 0; lines.length < rows && turns < 20 * rows; turns++) {
  const p = pick(people)
  if (calm) {
    hear(p)
    p.um.clear()
    const steps = [edit, edit, edit].slice(int(3))
    for (const step of [...steps, ...(mode === 'plain' ? [] : pick([[], [undo], [undo, redo], [undo, redo, undo], steps.map(() => undo)]))]) {
      step(p)
      p.um.stopCapturing()
      deliver(p)
    }
    continue
  }
  switch (int(10)) {
    case 0:
      p.online = !p.online
      if (!p.online) break
      p.online = false
      deliver(p)
      p.online = true
      hear(p)
      break
    case 1:
    case 2:
    case 3:
      if (p.online) {
        deliver(p)
        hear(p)
      }
      break
    default:
      act(p)
  }
}
for (const p of people) {
  p.online = false // what waits goes as one
  deliver(p)
}
people.forEach(hear)
for (const line of lines) console.log(JSON.stringify(line))
// What the note says to each who was there, to who was sent each row, and to who opens it now.
const late = new Y.Doc()
Y.applyUpdate(late, Y.encodeStateAsUpdate(server))
const texts = [...people.map(p => p.doc), server, late].map(doc => doc.getXmlFragment('default').toString())
console.log(JSON.stringify({ template: b64(template), written, texts }))
