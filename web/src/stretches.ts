// Stretches of the text that people comment on. Each is known by the elements of the shared document that are its first and its last
// character, so that it stays where it is while people edit, and is shown by decorations, which are no part of the note.
//
// To split a paragraph, to make one a heading, and to undo, an editor deletes text and inserts it anew. Whoever does so in this window has
// the decoration, which the editor moves with the text; what others do, and undo, is followed by its words, if they come again once in
// what the same change inserted. What is followed here is told, so that everybody has it.

import type { Editor } from '@tiptap/core'
import type { Node } from '@tiptap/pm/model'
import { Plugin, PluginKey } from '@tiptap/pm/state'
import { Decoration, DecorationSet } from '@tiptap/pm/view'
import { ySyncPluginKey } from '@tiptap/y-tiptap'
import * as Y from 'yjs'

import { eachRun, eachText } from './sharedtext.ts'

/** Words that are fewer letters than this come again by chance. */
const MIN_WORDS = 4

/** How long after an edit the words of stretches are looked up. */
const LOOK_MS = 300

export interface Element {
  client: number
  clock: number
}

export interface Stretch {
  id: string
  start: Element
  end: Element
  /** What it says, as far as is known. */
  words: string
  /** What had come when it was placed: clocks by client; undefined if nobody knows. */
  known?: Map<number, number>
}

export interface Range {
  from: number
  to: number
}

const key = new PluginKey<DecorationSet>('stretches')

/** One that came since, by the clocks of what had come before. */
type Since = (client: number) => number

/** A run of letters in all of the text. */
interface Run {
  begins: number
  length: number
  at: number
  id: Element
}

export class Stretches {
  #editor: Editor
  #doc: Y.Doc
  #fragment: Y.XmlFragment
  #all = new Map<string, Stretch>()
  /** Those of which both ends are there. */
  #whole = new Set<string>()
  #active: string | undefined
  #moved: (id: string, place: { start: Element; end: Element }) => void
  #timer: ReturnType<typeof setTimeout> | undefined
  #frame = 0

  /** moved is told where a stretch stands now that this window has moved; picked, which one somebody clicks on. */
  constructor(editor: Editor, doc: Y.Doc, moved: (id: string, place: { start: Element; end: Element }) => void, picked: (id: string) => void) {
    this.#editor = editor
    this.#doc = doc
    this.#moved = moved
    this.#fragment = doc.getXmlFragment('default')
    editor.registerPlugin(
      new Plugin<DecorationSet>({
        key,
        state: {
          init: () => DecorationSet.empty,
          apply: (tr, set, _before, state) => {
            const synced = (tr.getMeta(ySyncPluginKey) as { isChangeOrigin?: boolean } | undefined)?.isChangeOrigin
            if (tr.getMeta(key) || (synced && this.#all.size > 0)) return this.#decorations(state.doc)
            return set.map(tr.mapping, tr.doc)
          },
        },
        props: {
          decorations: state => key.getState(state),
          handleClick: (view, pos) => {
            const id = this.at(pos, view.state)
            if (id) picked(id)
            return false
          },
        },
      }),
    )
    const changed = (tr: Y.Transaction) => this.#changed(tr)
    doc.on('afterTransaction', changed)
    editor.on('destroy', () => {
      clearTimeout(this.#timer)
      doc.off('afterTransaction', changed)
    })
  }

  /** Shows these. One that is known here already stays as it is if nobody has moved it, or if it was followed to where nobody has told of yet. */
  set(all: Stretch[]): void {
    const before = this.#all
    this.#all = new Map()
    for (const s of all) {
      const old = before.get(s.id)
      const same = old && equal(old.start, s.start) && equal(old.end, s.end)
      const ahead = old && this.#isWhole(old) && !this.#isWhole(s)
      this.#all.set(s.id, same || ahead ? old : s)
    }
    for (const s of this.#all.values()) this.#settle(s)
    this.#show()
    this.#look()
  }

  /** Marks one of them, or none. */
  activate(id: string | undefined): void {
    if (id === this.#active) return
    this.#active = id
    this.#show()
  }

  /** The stretch at a position, the shortest of several. */
  at(pos: number, state = this.#editor.state): string | undefined {
    const found = key.getState(state)?.find(pos, pos) ?? []
    found.sort((a, b) => a.to - a.from - (b.to - b.from))
    return (found[0]?.spec as { id: string } | undefined)?.id
  }

  /** Where a stretch stands, or where it would if it were shown; undefined if its text is gone. */
  where(s: Stretch | string): Range | undefined {
    if (typeof s !== 'string') return this.#range(s, this.#starts(this.#editor.state.doc)) ?? this.#again(s)
    const shown = key.getState(this.#editor.state)?.find(undefined, undefined, spec => (spec as { id: string }).id === s) ?? []
    if (shown.length === 0) return undefined
    return { from: Math.min(...shown.map(d => d.from)), to: Math.max(...shown.map(d => d.to)) }
  }

  /** The first and the last character of a range, undefined if it has none. */
  ends({ from, to }: Range): { start: Element; end: Element } | undefined {
    let start: Element | undefined
    let end: Element | undefined
    eachText(this.#fragment, this.#editor.state.doc, (text, begins) => {
      if (begins >= to || begins + text.length <= from) return
      eachRun(text, begins, ({ id, length }, at) => {
        if (at >= to || at + length <= from) return
        start ??= { client: id.client, clock: id.clock + Math.max(from - at, 0) }
        end = { client: id.client, clock: id.clock + Math.min(to - at, length) - 1 }
      })
    })
    return start && end && { start, end }
  }

  // Not within the change that makes it necessary.
  #show(): void {
    cancelAnimationFrame(this.#frame)
    this.#frame = requestAnimationFrame(() => {
      if (this.#editor.isDestroyed) return
      this.#editor.view.dispatch(this.#editor.state.tr.setMeta(key, true).setMeta('addToHistory', false))
    })
  }

  #decorations(doc: Node): DecorationSet {
    if (this.#all.size === 0) return DecorationSet.empty
    const starts = this.#starts(doc)
    const all: Decoration[] = []
    for (const s of this.#all.values()) {
      const range = this.#range(s, starts)
      if (!range) continue
      const active = s.id === this.#active ? ' active' : ''
      all.push(Decoration.inline(range.from, range.to, { class: `commented${active}` }, { id: s.id }))
    }
    return DecorationSet.create(doc, all)
  }

  #starts(doc: Node): Map<unknown, number> {
    const starts = new Map<unknown, number>()
    eachText(this.#fragment, doc, (text, at) => starts.set(text, at))
    return starts
  }

  #range(s: Stretch, starts: Map<unknown, number>): Range | undefined {
    const from = this.#position(s.start, 0, starts)
    const to = this.#position(s.end, -1, starts)
    return from !== undefined && to !== undefined && from < to ? { from, to } : undefined
  }

  // Where an element is, or was within a text that is there still.
  #position(item: Element, assoc: number, starts: Map<unknown, number>): number | undefined {
    const there = Y.createAbsolutePositionFromRelativePosition(Y.createRelativePositionFromJSON({ item, assoc }), this.#doc)
    const at = there && starts.get(there.type)
    return at === undefined || at === null ? undefined : at + there!.index
  }

  #isThere({ client, clock }: Element): boolean {
    return Y.getState(this.#doc.store, client) > clock && !Y.getItem(this.#doc.store, Y.createID(client, clock)).deleted
  }

  #isWhole(s: Stretch): boolean {
    return this.#isThere(s.start) && this.#isThere(s.end)
  }

  // What came while nobody looked: one whose text was deleted and inserted anew is found by its words, among what has come since.
  #settle(s: Stretch): void {
    const there = this.#isWhole(s)
    if (there) this.#whole.add(s.id)
    else this.#whole.delete(s.id)
    if (there || this.#range(s, this.#starts(this.#editor.state.doc))) return
    const again = this.#again(s)
    if (again) this.#bind(s, again)
  }

  #again(s: Stretch): Range | undefined {
    const { known } = s
    return known && this.#find(s.words, client => known.get(client) ?? 0, true)
  }

  #bind(s: Stretch, range: Range): boolean {
    const ends = this.ends(range)
    if (!ends) return false
    Object.assign(s, ends)
    this.#whole.add(s.id)
    return true
  }

  #changed(tr: Y.Transaction): void {
    if (this.#all.size === 0 || this.#editor.isDestroyed) return
    let inserted = 0
    for (const [client, clock] of tr.afterState) inserted += clock - (tr.beforeState.get(client) ?? 0)
    if (inserted > 0 || tr.deleteSet.clients.size > 0) this.#look()
    let shown = false
    for (const s of this.#all.values()) {
      const there = this.#isWhole(s)
      const was = this.#whole.has(s.id)
      if (there) {
        if (!was) shown = true
        this.#whole.add(s.id)
        continue
      }
      if (!was && inserted < MIN_WORDS) continue // who types brings nothing back
      if (this.#follow(s, tr, was)) shown = true
    }
    if (shown) this.#show()
  }

  // Follows one of which an end has just gone, or was gone before.
  #follow(s: Stretch, tr: Y.Transaction, was: boolean): boolean {
    this.#whole.delete(s.id)
    let range = was && tr.origin === ySyncPluginKey ? this.where(s.id) : this.#find(s.words, client => tr.beforeState.get(client) ?? 0, !was)
    // What is left of it stays it.
    if (!range && was && tr.local) range = this.#range(s, this.#starts(this.#editor.state.doc))
    if (!range || !this.#bind(s, range)) return was
    if (tr.local) this.#moved(s.id, { start: s.start, end: s.end })
    return true
  }

  // Where words stand that came again: exactly once, and of what came since some, or with every all.
  #find(words: string, since: Since, every: boolean): Range | undefined {
    const wanted = words.replaceAll('\n', '')
    if (wanted.length < MIN_WORDS) return undefined
    const { text, runs } = this.#flat()
    let found: Range | undefined
    for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
      const within = runs.filter(r => r.begins < at + wanted.length && r.begins + r.length > at)
      const came = (r: Run) => {
        const [first, last] = [Math.max(at - r.begins, 0), Math.min(at + wanted.length - r.begins, r.length) - 1]
        return r.id.clock + (every ? first : last) >= since(r.id.client)
      }
      if (!(every ? within.every(came) : within.some(came))) continue
      if (found) return undefined
      const [first, last] = [within[0], within[within.length - 1]]
      found = { from: first.at + Math.max(at - first.begins, 0), to: last.at + at + wanted.length - last.begins }
    }
    return found
  }

  // All letters, without the ends of lines: a paragraph that is split says the same.
  #flat(): { text: string; runs: Run[] } {
    let text = ''
    const runs: Run[] = []
    eachText(this.#fragment, this.#editor.state.doc, (shared, begins) =>
      eachRun(shared, begins, ({ id, content }, at) => {
        if (!(content instanceof Y.ContentString)) return
        let offset = 0
        for (const line of content.str.split('\n')) {
          if (line) runs.push({ begins: text.length, length: line.length, at: at + offset, id: { client: id.client, clock: id.clock + offset } })
          text += line
          offset += line.length + 1
        }
      }),
    )
    return { text, runs }
  }

  // Looks up what stretches say, when nobody has edited for a moment.
  #look(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      if (this.#editor.isDestroyed) return
      for (const s of this.#all.values()) {
        const range = this.where(s.id)
        if (range) s.words = this.#editor.state.doc.textBetween(range.from, range.to)
      }
    }, LOOK_MS)
  }
}

function equal(a: Element, b: Element): boolean {
  return a.client === b.client && a.clock === b.clock
}
