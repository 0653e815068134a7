// What in a note is easily misread is underlined, with the reason and what to write instead. It is a suggestion: nothing changes by itself, and
// what is underlined is no part of the note. Loaded once one can write.

import type { Editor } from '@tiptap/core'
import type { Node } from '@tiptap/pm/model'
import { TextSelection, type EditorState, type Transaction } from '@tiptap/pm/state'
import { Decoration, DecorationSet } from '@tiptap/pm/view'
import { ySyncPluginKey } from '@tiptap/y-tiptap'

import { onKey } from './keys.ts'
import type { Late, Place as LatePlace } from './late.ts'
import { misread, type Place } from './misread.ts'
import { say } from './say.ts'
import { byId } from './status.ts'
import { eachText } from './texts.ts'

/** How many characters are looked at while a change is made; the rest of what is new, when there is time. */
const AT_ONCE = 4_000

/** How long is looked at a time, in milliseconds; and the longest block that is. */
const SLICE_MS = 6
const MAX_BLOCK = 8_000

/** How many places are underlined at most. */
const MOST = 500

/** How long after the last letter a word counts as written. */
const REST_MS = 1_500

const KEY = 'Ctrl+.'

interface Marked extends Place {
  text: string
}

/** A place that somebody leaves as it is, in this tab. */
interface Left {
  from: number
  text: string
  /** The element of the shared document that its block is, and where in it it stands: a remote change moves positions, not elements. */
  element: unknown
  within: number
}

export interface Seen {
  places: Marked[]
  left: Left[]
  /** Somebody is typing: what ends at their caret may go on. */
  typing: boolean
  /** Blocks that have not been looked at. */
  rest: number
  marks: DecorationSet
}

type Asked = { looked: true } | { leave: Left } | { rested: true }

/** What was found in a block. Blocks never change, only which there are. */
const known = new WeakMap<Node, Place[]>()

function look(block: Node, text: string): void {
  known.set(block, block.type.spec.code || text.length > MAX_BLOCK ? [] : misread(text))
}

export class Misreadings {
  #editor: Editor
  #place: LatePlace<Seen>
  #box = document.createElement('div')
  #said = document.createElement('p')
  #open: Marked | undefined
  #rest: ReturnType<typeof setTimeout> | undefined
  #idle = 0

  constructor(editor: Editor, place: LatePlace<Seen>) {
    this.#editor = editor
    this.#place = place
    this.#box.className = 'suggest misread-box'
    this.#box.hidden = true
    this.#box.setAttribute('role', 'dialog')
    this.#box.setAttribute('aria-label', say('Easily misread'))
    this.#said.className = 'sr-only'
    this.#said.setAttribute('role', 'status')
    byId('note').append(this.#box, this.#said)
    this.#box.addEventListener('pointerdown', e => e.preventDefault()) // the text keeps the focus
    this.#box.addEventListener('keydown', e => {
      if (e.key !== 'Escape') return
      e.stopPropagation()
      this.#close()
      editor.view.focus()
    })
    place.take(editor, this.#late())
    const moved = () => this.#put()
    const blurred = () => this.#tell({ rested: true })
    editor.view.dom.addEventListener('blur', blurred)
    window.addEventListener('scroll', moved, { passive: true, capture: true })
    window.addEventListener('resize', moved)
    const off = onKey(KEY, say('Go to the next notation that is easily misread, and choose what to write instead'), () => this.#next())
    editor.on('destroy', () => {
      off()
      clearTimeout(this.#rest)
      clearTimeout(this.#idle)
      window.removeEventListener('scroll', moved, { capture: true })
      window.removeEventListener('resize', moved)
      this.#box.remove()
      this.#said.remove()
    })
    this.#lookOn()
  }

  #late(): Late<Seen> {
    return {
      init: state => this.#seen(state, { left: [], typing: false }),
      apply: (tr, was, before, state) => this.#apply(tr, was, before, state),
      decorations: state => (this.#editor.isEditable ? this.#place.key.getState(state)?.marks : undefined),
      handleClick: pos => {
        const at = this.#placeAt(pos)
        if (at && this.#editor.isEditable) this.#show(at)
      },
      handleKeyDown: e => {
        if (e.key !== 'Escape' || this.#box.hidden) return false
        this.#close()
        return true
      },
      updated: before => {
        const { state } = this.#editor
        if (state.doc !== before.doc) this.#lookOn()
        const open = this.#open
        if (open && !this.#state.places.some(p => p.from === open.from && p.text === open.text)) this.#close()
        else if (open && !state.selection.eq(before.selection) && !this.#placeAt(state.selection.head)) this.#close()
      },
    }
  }

  get #state(): Seen {
    return this.#place.key.getState(this.#editor.state)!
  }

  #tell(asked: Asked): void {
    if (!this.#editor.isDestroyed) this.#editor.view.dispatch(this.#editor.state.tr.setMeta(this.#place.key, asked).setMeta('addToHistory', false))
  }

  #apply(tr: Transaction, was: Seen, before: EditorState, state: EditorState): Seen {
    const asked = tr.getMeta(this.#place.key) as Asked | undefined
    const remote = (tr.getMeta(ySyncPluginKey) as { isChangeOrigin?: boolean } | undefined)?.isChangeOrigin
    let { left, typing } = was
    if (tr.docChanged) {
      if (left.length > 0) left = remote ? this.#refound(left, state.doc) : moved(left, tr, state.doc)
      if (!remote) {
        typing = state.selection.empty
        clearTimeout(this.#rest)
        if (typing) this.#rest = setTimeout(() => this.#tell({ rested: true }), REST_MS)
      }
    } else if (!asked && (state.selection.eq(before.selection) || !typing)) {
      return was
    } else {
      typing = false
    }
    if (asked && 'leave' in asked) left = [...left, asked.leave]
    if (asked && 'looked' in asked) typing = was.typing
    return this.#seen(state, { left, typing })
  }

  #seen(state: EditorState, { left, typing }: { left: Left[]; typing: boolean }): Seen {
    const places: Marked[] = []
    let rest = 0
    let room = AT_ONCE
    eachText(state.doc, (block, begins, text) => {
      if (places.length >= MOST) return
      if (!known.has(block)) {
        if (block.content.size > room) {
          rest++
          return
        }
        room -= block.content.size
        look(block, text())
      }
      for (const p of known.get(block)!) {
        const from = begins + p.from
        const one = { ...p, from, to: begins + p.to, ends: begins + p.ends, text: block.textBetween(p.from, p.to) }
        if (!left.some(l => l.from === from && l.text === one.text)) places.push(one)
      }
    })
    const head = typing && state.selection.empty ? state.selection.head : undefined
    const marks = places
      .filter(p => !beingWritten(p, head))
      .map(p => Decoration.inline(p.from, p.to, { class: 'misread', title: say('{why}. {trim} is clearer ({KEY}).', p.why, p.instead.map(s => `“${s.trim()}”`).join(' or '), KEY) }))
    return { places, left, typing, rest, marks: DecorationSet.create(state.doc, marks) }
  }

  // Looks at what has not been looked at, a little at a time.
  #lookOn(): void {
    clearTimeout(this.#idle)
    if (this.#state.rest === 0) return
    this.#idle = window.setTimeout(() => {
      const until = performance.now() + SLICE_MS
      let more = false
      eachText(this.#editor.state.doc, (block, _begins, text) => {
        if (more || known.has(block)) return
        if (performance.now() > until) more = true
        else look(block, text())
      })
      if (more) this.#lookOn()
      else this.#tell({ looked: true })
    })
  }

  #placeAt(pos: number): Marked | undefined {
    return this.#state.places.find(p => p.from <= pos && pos <= p.to)
  }

  #next(): boolean {
    const { view, state } = this.#editor
    if (!this.#editor.isEditable) return false
    const { places } = this.#state
    const { from, to } = state.selection
    const here = this.#box.hidden ? places.find(p => p.from <= from && to <= p.to) : undefined
    const at = here ?? places.find(p => p.from >= to) ?? places[0]
    if (!at) {
      this.#said.textContent = say('Nothing in the note is known to be easily misread.')
      return true
    }
    view.dispatch(state.tr.setSelection(TextSelection.create(state.doc, at.from, at.to)).scrollIntoView())
    this.#show(at)
    this.#box.querySelector('button')?.focus()
    return true
  }

  #show(at: Marked): void {
    this.#open = at
    const why = document.createElement('p')
    why.textContent = `${at.why}.`
    const button = (text: string, run: () => void) => {
      const b = document.createElement('button')
      b.type = 'button'
      b.className = 'btn'
      b.dataset.variant = 'outline'
      b.dataset.size = 'sm'
      b.textContent = text
      b.addEventListener('click', () => {
        this.#close()
        run()
        this.#editor.view.focus()
      })
      return b
    }
    const choices = at.instead.map(s => button(say('Write “{trim}”', s.trim()), () => this.#write(at, s)))
    this.#box.replaceChildren(why, ...choices.flatMap(c => [c, ' ']), button(say('Leave as it is'), () => this.#leave(at)))
    this.#box.hidden = false
    this.#put()
  }

  #close(): void {
    this.#open = undefined
    this.#box.hidden = true
  }

  #write(at: Marked, says: string): void {
    const { state, view } = this.#editor
    if (!this.#editor.isEditable || state.doc.textBetween(at.from, at.to) !== at.text) return // somebody was faster
    const $from = state.doc.resolve(at.from)
    const before = $from.parent.textBetween(Math.max(0, $from.parentOffset - 1), $from.parentOffset, undefined, ' ')
    const text = before === '' || /[\s(]/.test(before) ? says.trimStart() : says
    view.dispatch(state.tr.insertText(text, at.from, at.to).scrollIntoView())
  }

  #leave(at: Marked): void {
    const { state } = this.#editor
    const $from = state.doc.resolve(at.from)
    const element = [...mapping(state)].find(([, node]) => node === $from.parent)?.[0]
    this.#tell({ leave: { from: at.from, text: at.text, element, within: $from.parentOffset } })
  }

  // Where what was left stands after a change of somebody else.
  #refound(left: Left[], doc: Node): Left[] {
    const elements = mapping(this.#editor.state)
    const begins = new Map<Node, number>()
    eachText(doc, (block, at) => begins.set(block, at))
    return left.flatMap(l => {
      const block = elements.get(l.element) as Node | undefined
      const at = block && begins.get(block)
      if (!block || at === undefined) return []
      if (!known.has(block)) look(block, block.textBetween(0, block.content.size, undefined, '\ufffc'))
      const same = known.get(block)!.filter(p => block.textBetween(p.from, p.to) === l.text)
      const [near] = same.sort((a, b) => Math.abs(a.from - l.within) - Math.abs(b.from - l.within))
      return near ? [{ ...l, from: at + near.from, within: near.from }] : []
    })
  }

  /** Below the notation, or above it where there is more room; within the window. */
  #put(): void {
    if (this.#box.hidden || !this.#open || this.#open.from > this.#editor.state.doc.content.size) return
    const at = this.#editor.view.coordsAtPos(this.#open.from)
    const { offsetWidth, offsetHeight } = this.#box
    const below = at.bottom + offsetHeight + 8 <= window.innerHeight || at.top < offsetHeight + 8
    this.#box.style.top = `${Math.round(below ? at.bottom + 4 : at.top - offsetHeight - 4)}px`
    this.#box.style.left = `${Math.round(Math.max(8, Math.min(at.left, document.documentElement.clientWidth - offsetWidth - 8)))}px`
  }
}

/** Whether somebody who types, whose caret is there, may be in the middle of it. */
export function beingWritten(p: Pick<Place, 'from' | 'to' | 'ends'>, caret: number | undefined): boolean {
  return caret !== undefined && p.from <= caret && caret <= Math.max(p.to, p.ends)
}

// Where what was left stands after a change of one's own; what is not there any more is not left.
function moved(left: Left[], tr: Transaction, doc: Node): Left[] {
  return left.flatMap(l => {
    const from = tr.mapping.map(l.from, 1)
    if (from + l.text.length > doc.content.size || doc.textBetween(from, from + l.text.length) !== l.text) return []
    return [{ ...l, from, within: doc.resolve(from).parentOffset }]
  })
}

function mapping(state: EditorState): Map<unknown, unknown> {
  return ySyncPluginKey.getState(state).binding.mapping
}
