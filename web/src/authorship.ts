// Who wrote what, in the note as it is: what the server says of each element of the document becomes decorations, which
// are no part of it, and a list in words. It is asked again when the note has changed. It is loaded when somebody first wants to see it.

import type { Editor } from '@tiptap/core'
import type { Node } from '@tiptap/pm/model'
import type { EditorState } from '@tiptap/pm/state'
import { Decoration, DecorationSet } from '@tiptap/pm/view'
import { ySyncPluginKey } from '@tiptap/y-tiptap'
import * as Y from 'yjs'

import { dayOf, momentOf } from './dates.ts'
import type { Place } from './late.ts'
import { type Elements, Pieces } from './pieces.ts'
import { say, sayCount } from './say.ts'
import { byId } from './status.ts'

/** How long after a change the server is asked again, and after a failure. */
const AFTER_MS = 700
const AGAIN_MS = 10_000

/** How many pieces the list has at most. */
const MAX_PIECES = 500

/** How text came, in words. */
const HOW: Record<string, string> = { typed: say('typed'), pasted: say('pasted'), imported: say('imported'), carried: say('carried'), recovered: say('recovered') }

interface Person {
  id: string
  name: string
  color: number
}

interface Source {
  author?: string
  at: string
  words?: number
}

interface Span {
  text: string
  author?: string
  at?: string
  origin: string
  template?: boolean
  by?: string
  source?: Source
  elements: Elements[]
}

interface Words {
  author?: string
  typed: number
  pasted: number
  imported: number
  carried: number
  recovered: number
}

interface Answer {
  people: Person[]
  blocks: { spans: Span[] }[]
  words: Words[]
  carried: Source[]
}

export class Authorship {
  #editor: Editor
  #place: Place<DecorationSet>
  #fragment: Y.XmlFragment
  #box = byId('authors')
  #button = byId('authors-toggle')
  #on = false
  #people = new Map<string, Person>()
  #pieces = new Pieces<Span>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #frame = 0

  constructor(editor: Editor, doc: Y.Doc, place: Place<DecorationSet>) {
    this.#editor = editor
    this.#place = place
    this.#fragment = doc.getXmlFragment('default')
    place.take(editor, {
      init: () => DecorationSet.empty,
      apply: (tr, set, _before, state) => {
        if (!this.#on) return DecorationSet.empty
        const synced = (tr.getMeta(ySyncPluginKey) as { isChangeOrigin?: boolean } | undefined)?.isChangeOrigin
        // A remote change replaces what decorations stood on; the shared document has it already.
        if (tr.getMeta(place.key) || synced) return this.#decorations(state.doc)
        return set.map(tr.mapping, tr.doc)
      },
      decorations: state => place.key.getState(state),
    })
    editor.on('transaction', ({ transaction }) => {
      if (!this.#on) return
      if (transaction.docChanged) this.#askSoon(AFTER_MS)
      this.#here(editor.state)
    })
    editor.on('destroy', () => {
      clearTimeout(this.#timer)
      this.#box.hidden = true
      this.#box.querySelector('#authors-pieces')?.replaceChildren()
      this.#box.querySelector('#authors-words')?.replaceChildren()
    })
  }

  toggle(): void {
    this.#on = !this.#on
    this.#button.setAttribute('aria-pressed', String(this.#on))
    this.#box.hidden = !this.#on
    clearTimeout(this.#timer)
    if (this.#on) void this.#ask()
    else this.#show()
  }

  #askSoon(after: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#ask(), after)
  }

  async #ask(): Promise<void> {
    try {
      const r = await fetch(`/api/v1/notes/${this.#box.dataset.note}/authors`, { cache: 'no-store' })
      if (!r.ok) throw new Error(`status ${r.status}`)
      const answer = (await r.json()) as Answer
      if (!this.#on || this.#editor.isDestroyed) return
      this.#take(answer)
    } catch {
      // No network, or no database: the page's status tells.
      if (this.#on && !this.#editor.isDestroyed) this.#askSoon(AGAIN_MS)
    }
  }

  #take(answer: Answer): void {
    this.#people = new Map(answer.people.map(p => [p.id, p]))
    const spans = answer.blocks.flatMap(b => b.spans)
    this.#pieces = new Pieces(spans.map(of => ({ elements: of.elements, of })))
    this.#list(answer, spans)
    this.#show()
  }

  #show(): void {
    cancelAnimationFrame(this.#frame)
    this.#frame = requestAnimationFrame(() => {
      if (this.#editor.isDestroyed) return
      this.#editor.view.dispatch(this.#editor.state.tr.setMeta(this.#place.key, true).setMeta('addToHistory', false))
    })
  }

  /** The decorations of a document that shows what is shared. */
  #decorations(doc: Node): DecorationSet {
    return this.#pieces.decorations(this.#fragment, doc, (from, to, span) => this.#decoration(from, to, span))
  }

  #decoration(from: number, to: number, span: Span): Decoration {
    const person = span.author ? this.#people.get(span.author) : undefined
    const color = person ? ` author-${person.color}` : ''
    return Decoration.inline(from, to, { class: `by by-${span.origin}${color}`, title: this.#says(span) }, { says: this.#says(span) })
  }

  #name(id: string | undefined): string {
    return (id && this.#people.get(id)?.name) || say('Somebody unknown')
  }

  #says(span: Span): string {
    let how = span.template ? say('template') : HOW[span.origin]
    if (span.source) how = say('carried forward, written by {name} on {date}', this.#name(span.source.author), dayOf(span.source.at))
    if (span.by) how = say('recovered by {name}', this.#name(span.by))
    const at = span.at ? momentOf(span.at) : ''
    return [this.#name(span.author), at, how].filter(Boolean).join(', ')
  }

  /** Whose the text at the caret is, in words: for who neither points nor sees colours. */
  #here(state: EditorState): void {
    const at = state.selection.head
    const found = this.#place.key.getState(state)?.find(Math.max(at - 1, 0), at) ?? []
    const says = found.length > 0 ? say('At the caret: {says}', (found[0].spec as { says: string }).says) : ''
    const line = byId('authors-here')
    if (line.textContent !== says) line.textContent = says
  }

  #list(answer: Answer, spans: Span[]): void {
    byId('authors-words').replaceChildren(
      ...answer.words.map(w => {
        const ways = (['typed', 'pasted', 'imported', 'carried', 'recovered'] as const).filter(o => w[o] > 0).map(o => `${w[o]} ${HOW[o]}`)
        const sum = w.typed + w.pasted + w.imported + w.carried + w.recovered
        return this.#item(w.author, sayCount(sum, '{name}: {n} word ({ways})', '{name}: {n} words ({ways})', this.#name(w.author), ways.join(', ')))
      }),
      ...answer.carried.map(c => {
        const days = Math.floor((Date.now() - new Date(c.at).getTime()) / 86_400_000)
        return this.#item(c.author, sayCount(days, 'Carried forward: {words} words of {name}, a day old', 'Carried forward: {words} words of {name}, {n} days old', String(c.words), this.#name(c.author)))
      }),
    )
    byId('authors-pieces').replaceChildren(
      ...spans
        .filter(s => s.text.trim() !== '')
        .slice(0, MAX_PIECES)
        .map(s => {
          const item = this.#item(s.author, '')
          const text = document.createElement('q')
          text.textContent = s.text
          item.append(text, ` ${this.#says(s)}`)
          return item
        }),
    )
  }

  #item(author: string | undefined, text: string): HTMLElement {
    const item = document.createElement('li')
    const person = author ? this.#people.get(author) : undefined
    if (person) item.className = `author-${person.color}`
    item.textContent = text
    return item
  }
}
