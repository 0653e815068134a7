// Find in the note. What is found is marked by decorations; the note, and where one writes in it, stay as they are.

import type { Editor } from '@tiptap/core'
import type { Node } from '@tiptap/pm/model'
import { Plugin, PluginKey, TextSelection } from '@tiptap/pm/state'
import { Decoration, DecorationSet } from '@tiptap/pm/view'

import { onKey, tellKey } from './keys.ts'
import { say } from './say.ts'
import { byId } from './status.ts'
import { eachText, textOf } from './texts.ts'

/** How many places are marked at most. */
const MOST = 1000

/** A text as it is compared: capitals and accents make no difference. places has where each of its letters comes from, and where it ends. */
export interface Folded {
  text: string
  places: number[]
}

export function fold(text: string): Folded {
  let out = ''
  const places: number[] = []
  let at = 0
  for (const c of text) {
    // What is looked for has spaces, whichever the note has.
    const plain = /\s/.test(c) ? ' ' : c.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
    for (let i = 0; i < plain.length; i++) places.push(at)
    out += plain
    at += c.length
  }
  places.push(at)
  return { text: out, places }
}

export interface Match {
  from: number
  to: number
}

/** Where a text has what is looked for, which is folded. */
export function matches(text: Folded, wanted: string): Match[] {
  const all: Match[] = []
  if (wanted === '') return all
  for (let i = text.text.indexOf(wanted); i >= 0; i = text.text.indexOf(wanted, i + wanted.length)) {
    // Accents of the last letter that stand behind it belong to it.
    all.push({ from: text.places[i], to: text.places[i + wanted.length] })
  }
  return all
}

const known = new WeakMap<Node, Folded>()

function foldedOf(block: Node): Folded {
  let folded = known.get(block)
  if (!folded) known.set(block, (folded = fold(textOf(block))))
  return folded
}

const key = new PluginKey<DecorationSet>('find')

export class Find {
  #editor: Editor
  #bar = byId('find')
  #field = byId('find-text') as HTMLInputElement
  #count = byId('find-count')
  #matches: Match[] = []
  #at = 0
  #frame = 0

  constructor(editor: Editor) {
    this.#editor = editor
    editor.registerPlugin(
      new Plugin<DecorationSet>({
        key,
        state: {
          init: () => DecorationSet.empty,
          apply: (tr, set) => {
            const marks = tr.getMeta(key) as DecorationSet | undefined
            return marks ?? set.map(tr.mapping, tr.doc)
          },
        },
        props: { decorations: state => key.getState(state) },
      }),
    )
    editor.on('transaction', ({ transaction: { docChanged, before, doc } }) => {
      if (!docChanged || this.#bar.hidden) return
      const here = this.#matches[this.#at]
      const end = before.content.findDiffEnd(doc.content) // what others do replaces all of the text, as the editor has it
      if (here && end && here.from >= end.a) here.from += end.b - end.a
      this.#again()
    })
    const input = () => this.#look(editor.state.selection.from)
    const pressed = (e: KeyboardEvent) => this.#pressed(e)
    const clicked = (e: Event) => this.#clicked(e.target as Element)
    this.#field.addEventListener('input', input)
    this.#bar.addEventListener('keydown', pressed)
    this.#bar.addEventListener('click', clicked)
    const off = [
      // In the bar it is the browser's own, which looks at all of the page.
      onKey('Ctrl+F', say("Find in the note; again: the browser's own find"), e => {
        if (!editor.view.hasFocus() || e.target === this.#field) return false
        this.#show()
        return true
      }),
      onKey('F3', say('Go to the next place found'), () => this.#step(1)),
      onKey('Shift+F3', say('Go to the place found before'), () => this.#step(-1)),
    ]
    tellKey('Esc', say('Close what is open, and go back to where you were'))
    editor.on('destroy', () => {
      cancelAnimationFrame(this.#frame)
      for (const end of off) end()
      this.#field.removeEventListener('input', input)
      this.#bar.removeEventListener('keydown', pressed)
      this.#bar.removeEventListener('click', clicked)
      this.#field.value = ''
      this.#bar.hidden = true
    })
  }

  /** Opens the bar; what is selected is looked for. */
  #show(): void {
    const { selection, doc } = this.#editor.state
    const selected = doc.textBetween(selection.from, selection.to, ' ')
    if (selected.trim() !== '' && selected.length <= this.#field.maxLength) this.#field.value = selected
    this.#bar.hidden = false
    this.#field.focus()
    this.#field.select()
    this.#look(selection.from)
  }

  #clicked(target: Element): void {
    const does = target.closest<HTMLElement>('[data-find]')?.dataset.find
    if (does === 'next') this.#step(1)
    if (does === 'previous') this.#step(-1)
    if (does === 'here') this.#goHere()
    if (does === 'close') this.#close()
  }

  #pressed(e: KeyboardEvent): void {
    if (e.isComposing) return
    if (e.key === 'Escape') this.#close()
    else if (e.key === 'Enter' && e.ctrlKey) this.#goHere()
    else if (e.key === 'Enter' && e.target === this.#field) this.#step(e.shiftKey ? -1 : 1)
    else return
    e.preventDefault()
  }

  /** Back to where one was. */
  #close(): void {
    this.#bar.hidden = true
    this.#matches = []
    this.#draw()
    this.#editor.view.focus()
    this.#editor.commands.scrollIntoView()
  }

  /** To what was found, to write on there. */
  #goHere(): void {
    this.#catchUp()
    const match = this.#matches[this.#at]
    if (!match) return
    const { view, state } = this.#editor
    view.dispatch(state.tr.setSelection(TextSelection.create(state.doc, match.from, match.to)))
    this.#close()
  }

  /** Looks anew, and shows what is found at a place, or next behind it. */
  #look(from: number): void {
    this.#search()
    this.#at = Math.max(0, this.#matches.findIndex(m => m.from >= from))
    this.#draw()
    this.#reveal()
  }

  // Once a frame, however much comes at once; before it, if somebody goes there.
  #again(): void {
    cancelAnimationFrame(this.#frame)
    this.#frame = requestAnimationFrame(() => this.#catchUp())
  }

  #catchUp(): void {
    if (this.#frame === 0) return
    cancelAnimationFrame(this.#frame)
    this.#frame = 0
    if (this.#editor.isDestroyed || this.#bar.hidden) return
    const from = this.#matches[this.#at]?.from ?? 0
    this.#search()
    this.#at = Math.max(0, this.#matches.findIndex(m => m.from >= from))
    this.#draw()
  }

  #search(): void {
    const wanted = fold(this.#field.value).text
    this.#matches = []
    eachText(this.#editor.state.doc, (block, begins) => {
      if (this.#matches.length >= MOST) return
      for (const m of matches(foldedOf(block), wanted)) this.#matches.push({ from: begins + m.from, to: begins + m.to })
    })
    this.#matches.length = Math.min(this.#matches.length, MOST)
  }

  #step(by: number): boolean {
    if (this.#bar.hidden) return false
    this.#catchUp()
    const n = this.#matches.length
    if (n > 0) {
      this.#at = (this.#at + by + n) % n
      this.#draw()
      this.#reveal()
    }
    return true
  }

  #draw(): void {
    const { view, state } = this.#editor
    const marks = this.#matches.map((m, i) => Decoration.inline(m.from, m.to, { class: i === this.#at ? 'found found-here' : 'found' }))
    view.dispatch(state.tr.setMeta(key, DecorationSet.create(state.doc, marks)).setMeta('addToHistory', false))
    const n = this.#matches.length
    const of = n >= MOST ? say('{MOST} or more', MOST) : String(n)
    const says = this.#field.value === '' ? '' : n === 0 ? say('Not found') : say('{at} of {of}', this.#at + 1, of)
    if (this.#count.textContent !== says) this.#count.textContent = says
  }

  #reveal(): void {
    this.#editor.view.dom.querySelector('.found-here')?.scrollIntoView({ block: 'center' })
  }
}
