import assert from 'node:assert/strict'
import { test } from 'node:test'

import { getSchema } from '@tiptap/core'
import type { Node } from '@tiptap/pm/model'
import { EditorState, type Transaction } from '@tiptap/pm/state'
import { canJoin, canSplit } from '@tiptap/pm/transform'
import { initProseMirrorDoc, prosemirrorJSONToYXmlFragment } from '@tiptap/y-tiptap'
import * as Y from 'yjs'

import { schemaExtensions } from './extensions.ts'
import { back, type Edit, type Move, Moves, runs } from './moves.ts'
import { decide, suggestionsIn } from './proposed.ts'
import { write } from './strokes.ts'

const schema = getSchema(schemaExtensions)

/** Whether lines come where others are equal, or breaks within a line: which of them stays is the binding's choice. */
function loose(before: Node, after: Node): boolean {
  const nodes = (doc: Node): number => doc.toString().split(/paragraph|heading|hardBreak/).length
  const lines = after.children.map(n => n.textContent)
  if (nodes(before) === nodes(after)) return false
  return (nodes(before) < nodes(after) && new Set(lines).size < lines.length) || after.toString().includes('hardBreak')
}

/** The binding finds carets by how large it thinks that nodes are. */
function sizes(type: Y.XmlFragment, node: Node, mapping: Map<unknown, Node | Node[]>): void {
  const elements = type.toArray().filter(x => x instanceof Y.XmlElement)
  const nodes = node.children.filter(n => !n.isText)
  for (const [i, n] of nodes.entries()) {
    assert.equal((mapping.get(elements[i]) as Node).nodeSize, n.nodeSize, `${n}`)
    sizes(elements[i], n, mapping)
  }
}

/** Two write one note in turns. Of each letter it is known which element it was first, which says whose it is. */
class Pair {
  #docs = [1, 2].map(client => {
    const doc = new Y.Doc()
    doc.clientID = client
    return doc
  })
  #edit: Edit | undefined
  #moved: Move[] = []
  #first = new Map<string, string>() // of what was moved

  constructor(...lines: string[]) {
    const start = new Y.Doc()
    start.clientID = 9
    const content = lines.map(text => ({ type: 'paragraph', content: text ? [{ type: 'text', text }] : [] }))
    prosemirrorJSONToYXmlFragment(schema, { type: 'doc', content }, start.getXmlFragment('default'))
    for (const doc of this.#docs) {
      Y.applyUpdate(doc, Y.encodeStateAsUpdate(start))
      new Moves(doc.getXmlFragment('default'), tr => (tr.origin === this ? this.#edit : undefined), moves => this.#moved.push(...moves))
    }
  }

  root(who: number): Y.XmlFragment {
    return this.#docs[who].getXmlFragment('default')
  }

  read(who: number): Node {
    return initProseMirrorDoc(this.root(who), schema).doc as Node
  }

  /** Has somebody edit the note. Each letter that stays must be the element that it was, and so must what is dragged. */
  does(who: number, f: (tr: Transaction) => unknown, dragged = false): void {
    const doc = this.#docs[who]
    const { doc: before, meta } = initProseMirrorDoc(this.root(who), schema) as { doc: Node; meta: Parameters<typeof write>[2] }
    const tr = EditorState.create({ doc: before }).tr
    f(tr)
    if (!tr.docChanged) return
    const was = this.#letters(who)
    this.#edit = { before, after: tr.doc, maps: tr.mapping.maps }
    doc.transact(() => write(this.#edit!, this.root(who), meta), this)
    for (const [to, n, client, clock] of this.#moved.splice(0)) {
      for (let i = 0; i < n; i++) this.#first.set(`${doc.clientID}:${to + i}`, this.#firstOf(`${client}:${clock + i}`))
    }
    assert.equal(this.read(who).toString(), tr.doc.toString().replaceAll('bold(hardBreak)', 'hardBreak')) // a node has no marks there
    sizes(this.root(who), tr.doc, meta.mapping)
    if (loose(before, tr.doc)) return this.#deliver(who)
    const is = this.#letters(who)
    const kept = this.#edit.maps.reduceRight((pieces, map) => back(map, pieces), [{ at: 0, was: 0, n: tr.doc.content.size }])
    for (const k of kept) {
      for (let i = 0; i < k.n; i++) {
        const [want, got] = [was.get(k.was + i), is.get(k.at + i)]
        if (got) is.delete(k.at + i)
        assert.equal(got, want, `${before} → ${tr.doc}: the letter at ${k.at + i} stood at ${k.was + i}`)
      }
    }
    // Who types the same over what they selected has not written it.
    const gone = new Set([...was].filter(([at]) => !kept.some(k => k.was <= at && at < k.was + k.n)).map(([, id]) => id))
    for (const [at, id] of is) assert.ok(gone.delete(id) || (!dragged && id.startsWith(`${doc.clientID}:`)), `${before} → ${tr.doc}: the letter at ${at} is ${id}`)
    this.#deliver(who)
  }

  #deliver(who: number): void {
    Y.applyUpdate(this.#docs[1 - who], Y.encodeStateAsUpdate(this.#docs[who], Y.encodeStateVector(this.#docs[1 - who])))
  }

  #firstOf(id: string): string {
    return this.#first.get(id) ?? id
  }

  #letters(who: number): Map<number, string> {
    const all = new Map<number, string>()
    for (const { at, item } of runs(this.root(who), schema, item => !item.deleted).runs) {
      for (let i = 0; i < item.length; i++) all.set(at + i, this.#firstOf(`${item.id.client}:${item.id.clock + i}`))
    }
    return all
  }

  /** Whose each letter of the note is: 0, 1, or . if it was there before. */
  whose(): string {
    return [...this.#letters(0)].map(([, id]) => ({ 1: '0', 2: '1' })[id.split(':')[0]] ?? '.').join('')
  }
}

test('who types or deletes a letter beside an equal one changes that one', () => {
  const p = new Pair('see ')
  p.does(0, tr => tr.insertText('a', 5))
  p.does(1, tr => tr.insertText('a', 5)) // before it
  assert.equal(p.whose(), '....10')
  p.does(0, tr => tr.insertText('aa', 6))
  assert.equal(p.whose(), '....1000')
  p.does(0, tr => tr.delete(5, 6))
  assert.equal(p.whose(), '....000')
  p.does(1, tr => tr.insertText('a', 5))
  p.does(1, tr => tr.delete(6, 7))
  assert.equal(p.whose(), '....100')
})

test('what is accepted is the words of whoever suggested them, however much of the old ones they repeat', () => {
  const p = new Pair('')
  p.does(0, tr => tr.insertText('warfarin 5 mg daily', 1))
  p.does(1, tr => tr.addMark(1, 14, schema.mark('deletion', { id: 's' })).insert(14, schema.text('warfarin 3 mg', [schema.mark('insertion', { id: 's' })])))
  assert.equal(p.whose(), '0'.repeat(13) + '1'.repeat(13) + '0'.repeat(6))
  p.does(0, tr => {
    for (const s of decide(EditorState.create({ doc: tr.doc }), suggestionsIn(tr.doc), true).steps) tr.step(s)
  })
  assert.equal(p.read(1).textContent, 'warfarin 3 mg daily')
  assert.equal(p.whose(), '1'.repeat(13) + '0'.repeat(6))
})

test('what is dragged is what was taken away, and no equal text', () => {
  const p = new Pair('ab ab', 'ab')
  p.does(1, tr => tr.delete(4, 6).insertText('ab', 1), true)
  p.does(0, tr => tr.delete(1, 3).insertText('ab', 4), true)
  assert.equal(p.whose(), '.......')
})

test('what is typed into a list keeps carets in their places', () => {
  const p = new Pair('a')
  p.does(0, tr => tr.wrap(tr.doc.resolve(1).blockRange()!, [{ type: schema.nodes.bulletList }, { type: schema.nodes.listItem }]))
  p.does(1, tr => tr.insertText('bc', 4))
  p.does(0, tr => tr.delete(3, 4))
})

test('lines that are split, joined and deleted keep the letters that they keep', () => {
  const p = new Pair('aab', 'ab', 'b')
  p.does(0, tr => tr.split(2))
  p.does(1, tr => tr.join(3))
  p.does(0, tr => tr.join(5))
  p.does(1, tr => tr.delete(2, 4))
  new Pair('cb', 'b', 'b').does(0, tr => tr.join(4))
  new Pair('b', 'b').does(0, tr => tr.delete(0, 3))
})

test('whatever two do to a note of two letters, each that stays is the one it was', () => {
  for (let seed = 1; seed <= 15; seed++) {
    let state = seed
    const int = (n: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return Math.floor((state / 2 ** 32) * n)
    }
    const word = (): string => Array.from({ length: 1 + int(4) }, () => 'ab'[int(2)]).join('')
    const p = new Pair('ab', 'ba', 'aabb')
    const lines = (doc: Node): { node: Node; pos: number; from: number; to: number }[] => {
      const all: { node: Node; pos: number; from: number; to: number }[] = []
      doc.descendants((node, pos) => {
        if (node.isTextblock) all.push({ node, pos, from: pos + 1, to: pos + 1 + node.content.size })
      })
      return all
    }
    for (let i = 0; i < 40; i++) {
      p.does(int(2), tr => {
        const b = lines(tr.doc)[int(lines(tr.doc).length)]
        const from = b.from + int(b.to - b.from + 1)
        const to = from + int(b.to - from + 1)
        const edits = [
          () => tr.insertText(word(), from),
          () => tr.insertText(word(), from),
          () => tr.delete(from, to),
          () => tr.insertText(word(), from, to),
          () => tr.addMark(from, to, schema.marks.bold.create()),
          () => canSplit(tr.doc, from) && tr.split(from),
          () => canJoin(tr.doc, b.pos) && tr.doc.resolve(b.pos).nodeBefore?.isTextblock && tr.join(b.pos),
          () => tr.insert(b.pos, schema.nodes.paragraph.create(null, schema.text(`${i}${word()}`))),
          () => lines(tr.doc).length > 1 && tr.delete(b.pos, b.pos + b.node.nodeSize),
          () => tr.insert(from, schema.nodes.hardBreak.create()),
          () => tr.setBlockType(b.from, b.to, schema.nodes[['paragraph', 'heading'][int(2)]]),
        ]
        edits[int(edits.length)]()
      })
    }
  }
})
