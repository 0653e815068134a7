// Which text an edit of this browser moved or put back. To split a paragraph, join two or make one a heading, the binding
// deletes text and inserts it again as this client's; Yjs's undo inserts copies of what was deleted. Nobody can tell from the
// text alone whose it was: here it is known exactly, by the steps of the editor, and by what undo says it has put back.

import type { Node, Schema } from '@tiptap/pm/model'
import type { StepMap } from '@tiptap/pm/transform'
import * as Y from 'yjs'

/** length elements of this client, from the clock to on, repeat those of a client from a clock on. */
export type Move = [to: number, length: number, client: number, clock: number]

/** What became of the editor's document between two writings of it to the shared one. */
export interface Edit {
  before: Node
  after: Node
  maps: readonly StepMap[]
  event?: unknown // that of the page that it began with: cut, paste, drop
}

/** How many moves are remembered, so that what is moved again is said to be what it was first. */
const MAX_KNOWN = 20_000

/** How often an element is followed that the binding left for an equal one. */
const MAX_HOPS = 64

/** n positions of the document as it is, from at on, that were there before, from was on. */
export interface Kept {
  at: number
  was: number
  n: number
}

/** An item of text, and where it stands or stood. */
interface Run {
  at: number
  item: Y.Item
}

/** Elements of one client. */
interface Elements {
  client: number
  clock: number
  n: number
}

/** Text that was cut, and what it consisted of. */
interface Cut {
  text: string
  elements: Elements[]
}

export class Moves {
  #doc: Y.Doc
  #root: Y.XmlFragment
  #edit: (tr: Y.Transaction) => Edit | undefined
  #say: (moves: Move[]) => void
  #known: Move[] = [] // of this client, by clock
  #cut: Cut | undefined

  /** edit says of a transaction what it writes of the editor, if it does; say is called before its update is made. */
  constructor(root: Y.XmlFragment, edit: (tr: Y.Transaction) => Edit | undefined, say: (moves: Move[]) => void) {
    this.#doc = root.doc as Y.Doc
    this.#root = root
    this.#edit = edit
    this.#say = say
    this.#doc.on('afterTransaction', this.#after)
  }

  /** Runs f, which reads the shared document into the editor: what the binding mends in it meanwhile is one update. */
  render<T>(f: () => T): T {
    return this.#doc.transact(f, this)
  }

  /** Something else was copied: what is pasted now is not what was cut. */
  copied(): void {
    this.#cut = undefined
  }

  destroy(): void {
    this.#doc.off('afterTransaction', this.#after)
  }

  // What is deleted still has its text: it is collected after this.
  #after = (tr: Y.Transaction): void => {
    if (!tr.local) return
    const moves = this.#first(this.#of(tr))
    if (moves.length > 0) this.#say(moves)
  }

  #of(tr: Y.Transaction): Move[] {
    if (tr.origin instanceof Y.UndoManager) return this.#undone(tr, tr.origin)
    const edit = this.#edit(tr)
    const own = this.#own(tr)
    if (tr.origin === this) return merged(tr, own)
    // Most edits only insert, or only delete.
    const moves = own.size > 0 && (tr.deleteSet.clients.size > 0 || this.#cut !== undefined)
    return edit && (moves || edit.event === 'cut') ? this.#edited(tr, own, edit) : []
  }

  /** The text that a transaction brought, and that is there. */
  #own(tr: Y.Transaction): Set<Y.Item> {
    const own = new Set<Y.Item>()
    const from = tr.beforeState.get(this.#doc.clientID) ?? 0
    for (const item of structs(this.#doc, this.#doc.clientID, from, tr.afterState.get(this.#doc.clientID) ?? 0)) {
      if (isText(item) && !item.deleted) own.add(item)
    }
    return own
  }

  /** What Yjs says it has put back of what was deleted. */
  #undone(tr: Y.Transaction, undo: Y.UndoManager): Move[] {
    const moves: Move[] = []
    const me = this.#doc.clientID
    const from = tr.beforeState.get(me) ?? 0
    const look = (client: number, clock: number, end: number): void => {
      for (const item of structs(this.#doc, client, clock, end)) {
        const back = item.redone
        if (isText(item) && back?.client === me && back.clock >= from) moves.push([back.clock, item.length, client, item.id.clock])
      }
    }
    const undone = undo.currStackItem
    if (undone) for (const [client, gone] of undone.deletions.clients) gone.forEach(g => look(client, g.clock, g.clock + g.len))
    else for (const client of this.#doc.store.clients.keys()) look(client, 0, Infinity) // it failed half-way
    return moves
  }

  #edited(tr: Y.Transaction, own: Set<Y.Item>, edit: Edit): Move[] {
    const { schema } = edit.before.type
    const before = runs(this.#root, schema, item => was(tr, item))
    const after = runs(this.#root, schema, item => !item.deleted)
    // Else somebody has not read into the editor what is shared: then nothing is known.
    if (before.size !== edit.before.content.size || after.size !== edit.after.content.size) return []
    const kept = edit.maps.reduceRight((pieces, map) => back(map, pieces), [{ at: 0, was: 0, n: after.size }])
    const taken = gaps(before.size, kept, 'was').map(g => within(before.runs, g))
    const moves: Move[] = []
    if (own.size > 0) {
      const brought = gaps(after.size, kept, 'at').map(g => within(after.runs, g))
      const follower = new Follower(before.runs, after.runs, [...kept, ...dragged(taken, brought)])
      follower.follow(own, moves)
      const cut = this.#cut
      const pasted = edit.event === 'paste' && cut ? brought.find(parts => textOf(parts) === cut.text) : undefined
      if (cut && pasted) pair(pasted, cut.elements, own, moves)
    }
    if (edit.event === 'cut') this.#cut = cutOf(taken.flat())
    return moves
  }

  /** Says of moves what the text was first, and remembers them. */
  #first(moves: Move[]): Move[] {
    const all: Move[] = []
    for (const [to, length, client, clock] of moves.sort((a, b) => a[0] - b[0])) {
      let at = to
      for (const of of this.#sources({ client, clock, n: length })) {
        all.push([at, of.n, of.client, of.clock])
        at += of.n
      }
    }
    const joined: Move[] = []
    for (const m of all) {
      const last = joined.at(-1)
      if (last && last[0] + last[1] === m[0] && last[2] === m[2] && last[3] + last[1] === m[3]) last[1] += m[1]
      else joined.push([...m])
    }
    this.#known.push(...joined)
    if (this.#known.length > MAX_KNOWN) this.#known.splice(0, this.#known.length - MAX_KNOWN / 2)
    return joined
  }

  #sources(of: Elements): Elements[] {
    if (of.client !== this.#doc.clientID) return [of]
    const out: Elements[] = []
    let low = 0
    for (let high = this.#known.length; low < high; ) {
      const middle = (low + high) >> 1
      if (this.#known[middle][0] + this.#known[middle][1] <= of.clock) low = middle + 1
      else high = middle
    }
    let { clock, n } = of
    while (n > 0) {
      const m = this.#known[low]
      const gap = m ? Math.min(Math.max(m[0] - clock, 0), n) : n
      if (gap > 0) out.push({ client: of.client, clock, n: gap })
      clock += gap
      n -= gap
      if (n === 0) break
      const size = Math.min(n, m[0] + m[1] - clock)
      out.push({ client: m[2], clock: m[3] + clock - m[0], n: size })
      clock += size
      n -= size
      low++
    }
    return out
  }
}

/** The text of a document in its order, and how many positions of the editor it takes. */
interface Runs {
  runs: Run[]
  size: number
}

function isText(item: Y.Item): boolean {
  return item.content instanceof Y.ContentString
}

/** Whether an item was there before a transaction. */
function was(tr: Y.Transaction, item: Y.Item): boolean {
  const { client, clock } = item.id
  return clock < (tr.beforeState.get(client) ?? 0) && (!item.deleted || Y.isDeleted(tr.deleteSet, item.id))
}

export function* structs(doc: Y.Doc, client: number, from: number, to: number): Generator<Y.Item> {
  const all = doc.store.clients.get(client)
  if (!all || to <= from) return
  for (let i = Y.findIndexSS(all, from); i < all.length && all[i].id.clock < to; i++) {
    const item = all[i]
    if (item instanceof Y.Item) yield item
  }
}

/** The runs of a document, where an element is a node and a text its text: both count the same. */
export function runs(root: Y.XmlFragment, schema: Schema, there: (item: Y.Item) => boolean): Runs {
  const all: Run[] = []
  const walk = (type: Y.AbstractType<unknown>, at: number): number => {
    for (let item = type._start; item; item = item.right) {
      if (!there(item)) continue
      const inner = item.content instanceof Y.ContentType ? item.content.type : undefined
      if (inner instanceof Y.XmlText) {
        at = walk(inner as Y.AbstractType<unknown>, at)
      } else if (inner instanceof Y.XmlElement) {
        at = schema.nodes[inner.nodeName]?.isLeaf ? at + 1 : walk(inner as Y.AbstractType<unknown>, at + 1) + 1
      } else if (item.countable) {
        if (isText(item)) all.push({ at, item })
        at += item.length
      }
    }
    return at
  }
  return { size: walk(root as Y.AbstractType<unknown>, 0), runs: all }
}

/** What of pieces was there before a step. */
export function back(map: StepMap, pieces: Kept[]): Kept[] {
  const out: Kept[] = []
  for (let { at, was, n } of pieces) {
    let shift = 0
    const pass = (to: number): number => Math.min(Math.max(to - was, 0), n)
    map.forEach((_oldStart, oldEnd, newStart, newEnd) => {
      const stays = pass(newStart)
      if (stays > 0) out.push({ at, was: was - shift, n: stays })
      at += stays
      was += stays
      n -= stays
      const comes = pass(newEnd)
      at += comes
      was += comes
      n -= comes
      shift = newEnd - oldEnd
    })
    if (n > 0) out.push({ at, was: was - shift, n })
  }
  return out
}

/** The stretches of a document of a size that none of kept covers. */
export function gaps(size: number, kept: Kept[], side: 'at' | 'was'): { from: number; to: number }[] {
  const out: { from: number; to: number }[] = []
  let from = 0
  for (const k of kept) {
    if (k[side] > from) out.push({ from, to: k[side] })
    from = k[side] + k.n
  }
  if (from < size) out.push({ from, to: size })
  return out
}

/** The first of things in order whose end is behind a position. */
function firstBehind<T extends { at: number }>(all: T[], position: number, length: (x: T) => number): number {
  let low = 0
  for (let high = all.length; low < high; ) {
    const middle = (low + high) >> 1
    if (all[middle].at + length(all[middle]) <= position) low = middle + 1
    else high = middle
  }
  return low
}

const lengthOf = (r: Run): number => r.item.length

/** n elements of an item, from its element from on, which stand at a position. */
interface Part {
  item: Y.Item
  from: number
  at: number
  n: number
}

/** The text of a stretch. */
function within(all: Run[], { from, to }: { from: number; to: number }): Part[] {
  const out: Part[] = []
  for (let i = firstBehind(all, from, lengthOf); i < all.length && all[i].at < to; i++) {
    const { at, item } = all[i]
    const begin = Math.max(from, at)
    out.push({ item, from: begin - at, at: begin, n: Math.min(to, at + item.length) - begin })
  }
  return out
}

function textOf(parts: Part[]): string {
  return parts.map(p => (p.item.content as Y.ContentString).str.slice(p.from, p.from + p.n)).join('')
}

function cutOf(parts: Part[]): Cut {
  return { text: textOf(parts), elements: parts.map(p => ({ client: p.item.id.client, clock: p.item.id.clock + p.from, n: p.n })) }
}

/** What an edit took away in one place and inserted in another. */
function dragged(taken: Part[][], brought: Part[][]): Kept[] {
  const kept: Kept[] = []
  const left = [...taken]
  for (const parts of brought) {
    const text = textOf(parts)
    const k = text === '' ? -1 : left.findIndex(t => textOf(t) === text)
    if (k < 0) continue
    const [source] = left.splice(k, 1)
    both(parts, source, (p, at, s, was, n) => kept.push({ at: p.at + at, was: s.at + was, n }))
  }
  return kept
}

/** Calls f for n of each, side by side, from an index of the one and of the other on. */
function both<A extends { n: number }, B extends { n: number }>(a: A[], b: B[], f: (a: A, i: number, b: B, k: number, n: number) => void): void {
  let at = 0
  let used = 0
  for (const x of a) {
    for (let i = 0; i < x.n && at < b.length; ) {
      const n = Math.min(x.n - i, b[at].n - used)
      f(x, i, b[at], used, n)
      i += n
      used += n
      if (used === b[at].n) {
        at++
        used = 0
      }
    }
  }
}

/** Says of the parts that are own that they repeat elements, which say the same. */
function pair(parts: Part[], elements: Elements[], own: Set<Y.Item>, moves: Move[]): void {
  both(parts, elements, (p, i, e, k, n) => {
    if (own.has(p.item)) moves.push([p.item.id.clock + p.from + i, n, e.client, e.clock + k])
  })
}

/** Follows new elements to those that stood in their place before. */
class Follower {
  #before: Run[]
  #after: Run[]
  #kept: Kept[]
  #places: Map<Y.Item, number> | undefined

  constructor(before: Run[], after: Run[], kept: Kept[]) {
    this.#before = before
    this.#after = after
    this.#kept = kept.sort((a, b) => a.at - b.at)
  }

  follow(own: Set<Y.Item>, moves: Move[]): void {
    for (const { at, item } of this.#after) {
      if (own.has(item)) this.#place(item.id.clock, at, item.length, moves, MAX_HOPS)
    }
  }

  /** Says what n new elements from to on are that stand at a position, or stand for what does. */
  #place(to: number, at: number, n: number, moves: Move[], hops: number): void {
    const end = at + n
    for (let k = firstBehind(this.#kept, at, x => x.n); k < this.#kept.length && this.#kept[k].at < end; k++) {
      const piece = this.#kept[k]
      const from = Math.max(at, piece.at)
      const old = { from: from - piece.at + piece.was, to: Math.min(end, piece.at + piece.n) - piece.at + piece.was }
      let clock = to + from - at
      for (const p of within(this.#before, old)) {
        const { client, clock: first } = p.item.id
        if (p.item.deleted) moves.push([clock, p.n, client, first + p.from])
        else if (hops > 0) this.#place(clock, this.#placeOf(p.item) + p.from, p.n, moves, hops - 1)
        clock += p.n
      }
    }
  }

  // The binding compares texts: where the same letter stands twice, it may leave the other one. Then the new one is what that was.
  #placeOf(item: Y.Item): number {
    this.#places ??= new Map(this.#after.map(r => [r.item, r.at]))
    return this.#places.get(item) ?? Infinity
  }
}

/** What the binding mended while it read: of two texts side by side it appends the second to the first. */
function merged(tr: Y.Transaction, own: Set<Y.Item>): Move[] {
  const moves: Move[] = []
  for (const parent of new Set([...own].map(item => item.parent as Y.AbstractType<unknown>))) {
    const next = parent._item?.right
    if (!next?.deleted || !(next.content instanceof Y.ContentType) || !was(tr, next)) continue
    const parts = (type: Y.AbstractType<unknown>, there: (item: Y.Item) => boolean): Part[] => {
      const out: Part[] = []
      for (let item = type._start; item; item = item.right) {
        if (isText(item) && there(item)) out.push({ item, from: 0, at: 0, n: item.length })
      }
      return out
    }
    const brought = parts(parent, item => own.has(item))
    const source = cutOf(parts(next.content.type as Y.AbstractType<unknown>, item => was(tr, item)))
    if (textOf(brought) === source.text) pair(brought, source.elements, own, moves)
  }
  return moves
}
