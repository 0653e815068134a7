// An edit is written to the shared text by the steps that it consists of. The binding compares texts instead, and where letters are equal
// it may keep another one than the editor did: who deletes the first a of "aa" would delete the second, which somebody else wrote, and
// who accepts "warfarin 3 mg" in place of "warfarin 5 mg" would keep the old word and delete the new one. So each text that stays is
// first given what its line says now, and the binding finds no letter in it to compare any more. Formatting and nodes are its own work.

import type { Node } from '@tiptap/pm/model'
import { updateYFragment } from '@tiptap/y-tiptap'
import * as Y from 'yjs'

import { back, type Edit, gaps, type Kept } from './moves.ts'

/** Text that nothing stands between, as the editor has it. */
interface Stretch {
  from: number
  to: number
  isText: boolean
}

/** A text that stays, and where it stands before an edit and after it. */
interface Host {
  text: Y.XmlText
  was: Stretch
  is: Stretch
}

/** Writes an edit to the shared document, which says what the editor said before it. */
export function write(edit: Edit, root: Y.XmlFragment, meta: Parameters<typeof updateYFragment>[3]): void {
  const kept = edit.maps.reduceRight((pieces, map) => back(map, pieces), [{ at: 0, was: 0, n: edit.after.content.size }])
  const all = hosts(edit, root, kept)
  for (const h of all) stroke(h, edit.after, kept)
  updateYFragment(root.doc as Y.Doc, root, edit.after, meta)
  // What says the same by now it passes over, with all that holds it.
  for (const { is } of all) {
    const $at = edit.after.resolve(is.from)
    let holds = root
    for (let d = 0; d < $at.depth; d++) {
      holds = holds.get($at.index(d)) as Y.XmlElement
      meta.mapping.set(holds, $at.node(d + 1))
    }
  }
}

/**
 * The texts of the lines that an edit changes that stay: each where the first goes of what is left of it, if nothing stands before that there. The others
 * are deleted, unless such a one goes with its line, and the edit brings the same.
 */
function hosts({ before, after }: Edit, root: Y.XmlFragment, kept: Kept[]): Host[] {
  const all: Host[] = []
  const brought = gaps(after.content.size, kept, 'at').map(g => after.textBetween(g.from, g.to))
  const lines = new Set<number>()
  let [was, at] = [0, 0]
  for (const k of [...kept, { was: before.content.size, at: after.content.size, n: 0 }]) {
    if (k.was > was || k.at > at) {
      before.nodesBetween(was, k.was, (line, pos) => {
        if (!line.isTextblock || lines.has(pos)) return
        lines.add(pos)
        for (const [stretch, text] of textsOf(before, line, pos, root)) {
          const to = first(kept, 'was', stretch)
          const is = to === undefined ? undefined : stretchAt(after, to)
          const from = is && first(kept, 'at', is)
          const said = before.textBetween(stretch.from, stretch.to)
          const comes = !kept.some(k => k.was <= pos && pos < k.was + k.n) && brought.some(b => b.includes(said))
          if (is && from !== undefined && from >= stretch.from && from < stretch.to) all.push({ text, was: stretch, is })
          else if (to !== undefined || !comes) text.delete(0, said.length)
        }
      })
    }
    ;[was, at] = [k.was + k.n, k.at + k.n]
  }
  return all
}

/** Has a text say what its line says. */
function stroke({ text, was, is }: Host, after: Node, kept: Kept[]): void {
  let [from, at] = [was.from, is.from]
  const upTo = (to: number, here: number): void => {
    text.delete(at - is.from, to - from)
    text.insert(at - is.from, after.textBetween(at, here))
  }
  for (const k of kept) {
    const skip = Math.max(0, was.from - k.was, is.from - k.at)
    const end = Math.min(k.n, was.to - k.was, is.to - k.at)
    if (skip >= end) continue
    upTo(k.was + skip, k.at + skip)
    ;[from, at] = [k.was + end, k.at + end]
  }
  upTo(was.to, is.to)
}

/** Where the first goes of what is kept of a stretch, or on the other side, where it came from. */
function first(kept: Kept[], side: 'was' | 'at', { from, to }: Stretch): number | undefined {
  const k = kept.find(k => k[side] < to && k[side] + k.n > from)
  return k && k[side === 'was' ? 'at' : 'was'] + Math.max(0, from - k[side])
}

function stretchAt(doc: Node, at: number): Stretch | undefined {
  const $at = doc.resolve(at)
  return stretches($at.parent, $at.start()).find(s => s.isText && s.from <= at && at < s.to)
}

function stretches(line: Node, start: number): Stretch[] {
  const all: Stretch[] = []
  line.forEach(({ isText, nodeSize }, offset) => {
    const last = all.at(-1)
    if (isText && last?.isText) last.to += nodeSize
    else all.push({ from: start + offset, to: start + offset + nodeSize, isText })
  })
  return all
}

/** The texts of a line, if the shared document has the same. */
function textsOf(doc: Node, line: Node, pos: number, root: Y.XmlFragment): [Stretch, Y.XmlText][] {
  const $pos = doc.resolve(pos)
  let element: unknown = root
  for (let d = 0; d <= $pos.depth; d++) element = element instanceof Y.XmlFragment ? element.get($pos.index(d)) : undefined
  if (!(element instanceof Y.XmlElement)) return []
  const all = stretches(line, pos + 1)
  const shared = element.toArray().filter(x => !(x instanceof Y.XmlText) || x.length > 0)
  const same = shared.length === all.length && all.every(({ from, to, isText }, i) => isText === shared[i] instanceof Y.XmlText && (!isText || (shared[i] as Y.XmlText).length === to - from))
  return same ? all.flatMap((s, i): [Stretch, Y.XmlText][] => (s.isText ? [[s, shared[i] as Y.XmlText]] : [])) : []
}
