// What an edit becomes while one suggests, and what deciding on a suggestion does. Text that would go stays, and is marked; text that comes is
// marked; one's own suggestion, taken back, is gone. Lines, lists, tables and formatting cannot be suggested: the marks are for text alone.
// What has no words yet, such as an empty line, is made and removed at once.

import type { Mark, Node } from '@tiptap/pm/model'
import { type EditorState, TextSelection, type Transaction } from '@tiptap/pm/state'
import { AddMarkStep, RemoveMarkStep, ReplaceAroundStep, ReplaceStep } from '@tiptap/pm/transform'

/** Text of a suggestion, and by which of its marks. */
export interface Stretch {
  from: number
  to: number
  mark: Mark
}

/** What somebody suggests, which may be in several places. What has no id is one wherever it begins. */
export interface Suggestion {
  id: string
  all: Stretch[]
}

/** What an edit changes: a stretch of the document before it, and what it has there afterwards. */
interface Change {
  from: number
  to: number
  newFrom: number
  newTo: number
}

/** Whether a mark says that its text is suggested. */
export function suggests(mark: Mark): boolean {
  return mark.type.name === 'insertion' || mark.type.name === 'deletion'
}

/** All suggestions of a note, in the order in which they begin. */
export function suggestionsIn(doc: Node): Suggestion[] {
  const all = new Map<string, Suggestion>()
  const open = new Map<string, Stretch>() // of each mark without id, where it ends
  doc.descendants((node, from) => {
    if (!node.isText) return
    for (const mark of node.marks) {
      if (!suggests(mark)) continue
      const to = from + node.nodeSize
      let id = mark.attrs.id as string | null
      if (!id) {
        const before = open.get(mark.type.name)
        if (before?.to === from) {
          before.to = to
          continue
        }
        id = `${mark.type.name} ${from}`
      }
      let one = all.get(id)
      if (!one) all.set(id, (one = { id, all: [] }))
      const last = one.all.at(-1)
      if (last?.to === from && last.mark.eq(mark)) last.to = to
      else one.all.push({ from, to, mark })
      if (!mark.attrs.id) open.set(mark.type.name, one.all[0])
    }
  })
  return [...all.values()]
}

/** An edit that accepts some suggestions, or rejects them. What was suggested by others too waits on. */
export function decide(state: EditorState, some: Suggestion[], accept: boolean): Transaction {
  const { tr } = state
  const pieces: { from: number; to: number; goes: boolean; marks: Mark[] }[] = []
  const decided = some.flatMap(s => s.all)
  state.doc.descendants((node, from) => {
    const last = pieces.at(-1)
    if (!node.isInline) return
    const to = from + node.nodeSize
    // What cannot be marked, and stands among words that go, goes with them.
    const [inner] = node.isText ? [] : decided.filter(d => d.to === from && goes(d.mark, accept) && decided.some(e => e.from === to && e.mark.eq(d.mark)))
    const marks = node.marks.filter(m => decided.some(d => d.from < to && d.to > from && d.mark.eq(m)))
    if (inner || marks.some(m => goes(m, accept))) {
      if (last?.goes && last.to === from) last.to = to
      else pieces.push({ from, to, goes: true, marks: [] })
    } else if (marks.length > 0) {
      pieces.push({ from, to, goes: false, marks })
    }
  })
  for (const p of pieces.reverse()) {
    if (p.goes) tr.delete(p.from, p.to)
    else for (const m of p.marks) tr.removeMark(p.from, p.to, m)
  }
  return tr
}

function goes(mark: Mark, accept: boolean): boolean {
  return (mark.type.name === 'deletion') === accept
}

/**
 * What an edit becomes that somebody suggests; undefined: it cannot be suggested. mine says which suggestions are theirs: these they go on with,
 * and take back. fresh is the id of a new one.
 */
export function proposed(state: EditorState, tr: Transaction, mine: (id: string) => boolean, fresh: string): Transaction | undefined {
  const { doc, schema } = state
  if (tr.steps.every(s => s instanceof AddMarkStep || s instanceof RemoveMarkStep)) {
    return tr.steps.every((s, i) => s instanceof AddMarkStep || s instanceof RemoveMarkStep ? isOwn(tr.docs[i], s.from, s.to, mine) : false) ? tr : undefined
  }
  if (touchesNoText(doc, tr)) return tr
  const all = changes(tr)
  const out = state.tr
  let caret: number | undefined
  let since = 0 // which edit put it there
  for (const c of all.reverse()) {
    const comes = textIn(tr.doc, c)
    if (!comes) return undefined
    const gone = textOf(doc, c.from, c.to)
    if (gone.length === 0 && comes.length === 0 && c.from < c.to) return undefined
    const at = gone.at(-1)?.to ?? c.to
    if (comes.length > 0 && !doc.resolve(at).parent.inlineContent) return undefined
    const id = neighbour(doc, c, mine) ?? fresh
    if (comes.length > 0) out.insert(at, comes.map(t => t.mark([...t.marks.filter(m => !suggests(m)), schema.mark('insertion', { id })])))
    for (const { node, from, to } of gone.reverse()) {
      if (owns(node, 'insertion', mine)) out.delete(from, to)
      else if (!node.marks.some(m => m.type.name === 'deletion')) out.addMark(from, to, schema.mark('deletion', { id }))
    }
    const forward = state.selection.empty && state.selection.head <= c.from
    if (c.newFrom <= tr.selection.head && tr.selection.head <= c.newTo) {
      caret = comes.length > 0 ? out.mapping.map(at) : out.mapping.map(forward ? c.to : c.from, -1)
      since = out.mapping.maps.length
    }
  }
  if (caret !== undefined) out.setSelection(TextSelection.near(out.doc.resolve(out.mapping.slice(since).map(caret)), -1))
  for (const [key, value] of Object.entries((tr as unknown as { meta: Record<string, unknown> }).meta)) out.setMeta(key, value)
  return tr.scrolledIntoView ? out.scrollIntoView() : out
}

/** Has what somebody types among struck words not be struck: they do not suggest. */
export function unstruck(tr: Transaction): Transaction {
  const [change, ...more] = tr.steps.length === 1 && tr.steps[0] instanceof ReplaceStep ? changes(tr) : []
  if (!change || more.length > 0 || !textIn(tr.doc, change)) return tr
  return tr.removeMark(change.newFrom, change.newTo, tr.doc.type.schema.marks.deletion)
}

/** What an edit changes, in order; what touches is one. */
function changes(tr: Transaction): Change[] {
  const all: Change[] = []
  const { maps } = tr.mapping
  maps.forEach((map, i) => {
    const back = (at: number, side: number) => maps.slice(0, i).reduceRight((at, m) => m.invert().map(at, side), at)
    const on = tr.mapping.slice(i + 1)
    map.forEach((oldStart, oldEnd, newStart, newEnd) => {
      all.push({ from: back(oldStart, -1), to: back(oldEnd, 1), newFrom: on.map(newStart, -1), newTo: on.map(newEnd, 1) })
    })
  })
  all.sort((a, b) => a.from - b.from || a.newFrom - b.newFrom)
  const joined: Change[] = []
  for (const c of all) {
    const last = joined.at(-1)
    if (last && (c.from <= last.to || c.newFrom <= last.newTo)) {
      last.to = Math.max(last.to, c.to)
      last.newTo = Math.max(last.newTo, c.newTo)
    } else {
      joined.push({ ...c })
    }
  }
  return joined
}

/** The text that a change brings, if it is within a line and text alone. */
function textIn(doc: Node, { newFrom, newTo }: Change): Node[] | undefined {
  if (newFrom === newTo) return []
  const from = doc.resolve(newFrom)
  if (!from.parent.inlineContent || !from.sameParent(doc.resolve(newTo))) return undefined
  const nodes: Node[] = []
  from.parent.content.cut(from.parentOffset, from.parentOffset + newTo - newFrom).forEach(n => nodes.push(n))
  return nodes.every(n => n.isText) ? nodes : undefined
}

interface Piece {
  node: Node
  from: number
  to: number
}

function textOf(doc: Node, from: number, to: number): Piece[] {
  const all: Piece[] = []
  doc.nodesBetween(from, to, (node, at) => {
    if (node.isText) all.push({ node, from: Math.max(from, at), to: Math.min(to, at + node.nodeSize) })
  })
  return all.filter(p => p.from < p.to)
}

function owns(node: Node, kind: string, mine: (id: string) => boolean): boolean {
  return node.marks.some(m => m.type.name === kind && mine(m.attrs.id))
}

/** Whether text is one's own, and suggested. */
function isOwn(doc: Node, from: number, to: number, mine: (id: string) => boolean): boolean {
  return textOf(doc, from, to).every(p => owns(p.node, 'insertion', mine))
}

/** One's own suggestion beside a change, or in it: that goes on. */
function neighbour(doc: Node, { from, to }: Change, mine: (id: string) => boolean): string | undefined {
  const beside = [doc.resolve(from).nodeBefore, doc.resolve(to).nodeAfter, ...textOf(doc, from, to).map(p => p.node)]
  const found = beside.flatMap(n => n?.marks ?? []).find(m => suggests(m) && mine(m.attrs.id))
  return found?.attrs.id
}

/** Whether an edit makes or removes only what has no words: each line with words is as it was. */
function touchesNoText(before: Node, tr: Transaction): boolean {
  const plain = tr.steps.every((s, i) => (s instanceof ReplaceStep || s instanceof ReplaceAroundStep) && tr.docs[i].textBetween(s.from, s.to) === '')
  if (!plain) return false
  const [was, is] = [lines(before), lines(tr.doc)]
  return was.length === is.length && was.every((line, i) => line.eq(is[i]))
}

function lines(doc: Node): Node[] {
  const all: Node[] = []
  doc.descendants(node => {
    if (node.isTextblock && node.content.size > 0) all.push(node)
    return !node.isTextblock
  })
  return all
}
