// Suggesting, and deciding on what is suggested: the bar above the text. It is loaded when somebody suggests, or the note has a suggestion.

import type { Editor } from '@tiptap/core'
import type { Node } from '@tiptap/pm/model'
import { TextSelection, type Transaction } from '@tiptap/pm/state'
import { Decoration, DecorationSet } from '@tiptap/pm/view'
import { ySyncPluginKey } from '@tiptap/y-tiptap'

import { momentOf } from './dates.ts'
import { onKey } from './keys.ts'
import { decide, proposed, suggestionsIn, type Suggestion, unstruck } from './proposed.ts'
import { say, sayCount } from './say.ts'
import { byId } from './status.ts'

/** How long after a change the server is asked whose suggestions are, and how long after an answer that did not say. */
const AFTER_MS = 700
const AGAIN_MS = 3_000

/** How long it says why something cannot be suggested. */
const REFUSED_MS = 8_000

/** How much of a suggestion's words is said. */
const MOST = 60

const REFUSED = say('Only words can be suggested. To change lines, lists, tables or how words look, stop suggesting.')
const MODE = say('You are suggesting: what you type and delete waits until somebody accepts it.')

/** What the server says of a suggestion. */
interface Whose {
  by: string[]
  at?: string
}

/** What a transaction says of itself that decides on suggestions. */
const DECIDES = 'suggestions'

/** The suggestions of a document, which never changes. */
const known = new WeakMap<Node, Suggestion[]>()

function allIn(doc: Node): Suggestion[] {
  let all = known.get(doc)
  if (!all) known.set(doc, (all = suggestionsIn(doc)))
  return all
}

export class Suggestions {
  #editor: Editor
  #api: string
  #me: string
  #bar = byId('suggestions')
  #mode = byId('suggestions-mode')
  #says = byId('suggestions-says')
  #on = false
  #made = new Set<string>()
  #whose = new Map<string, Whose>()
  #names = new Map<string, string>()
  #gone: string | undefined
  #refused = false
  #news = ''
  #frame = 0
  #timers: Record<string, ReturnType<typeof setTimeout>> = {}

  constructor(editor: Editor, note: string, me: string) {
    this.#editor = editor
    this.#api = `/api/v1/notes/${note}/authors`
    this.#me = me
    const { view } = editor
    const dispatch = view.props.dispatchTransaction
    // No plugin: one that comes later has the binding read all of the note anew, and the caret is lost.
    view.setProps({
      dispatchTransaction: tr => {
        const edit = this.#edit(tr)
        if (edit) dispatch?.call(view, edit)
      },
      decorations: state => DecorationSet.create(state.doc, (this.#here(state)?.all ?? []).map(s => Decoration.inline(s.from, s.to, { class: 'suggested-here' }))),
    })
    const clicked = (e: Event) => this.#clicked((e.target as Element).closest<HTMLElement>('[data-suggestions]')?.dataset.suggestions)
    const pressed = (e: KeyboardEvent) => {
      if (e.key === 'Escape') editor.view.focus()
    }
    this.#bar.addEventListener('click', clicked)
    this.#bar.addEventListener('keydown', pressed)
    const off = [
      onKey('Alt+N', say('Go to the next suggestion'), () => this.#go(1)),
      onKey('Alt+P', say('Go to the suggestion before'), () => this.#go(-1)),
      onKey('Alt+Y', say('Accept the suggestion at the caret'), () => this.#decideHere(true)),
      onKey('Alt+R', say('Reject the suggestion at the caret'), () => this.#decideHere(false)),
    ]
    editor.on('transaction', ({ transaction }) => {
      if (transaction.docChanged) this.#whoSoon(AFTER_MS)
      this.#queue()
    })
    editor.on('destroy', () => {
      for (const end of off) end()
      for (const t of Object.values(this.#timers)) clearTimeout(t)
      cancelAnimationFrame(this.#frame)
      this.#bar.removeEventListener('click', clicked)
      this.#bar.removeEventListener('keydown', pressed)
      this.#says.textContent = this.#mode.textContent = ''
      this.#bar.hidden = true
    })
    void this.#who()
    this.#queue()
  }

  toggle(): void {
    const { view, isEditable } = this.#editor
    if (!isEditable) return
    this.#on = !this.#on
    if (this.#on) view.dom.dataset.suggesting = ''
    else delete view.dom.dataset.suggesting
    this.#refused = false
    this.#news = ''
    view.dispatch(view.state.tr.setMeta('addToHistory', false)) // the button is drawn anew
  }

  // Suggesting

  /** What an edit of this window becomes; undefined: nothing. What others do, and what is undone, stays as it is. */
  #edit(tr: Transaction): Transaction | undefined {
    if (!tr.docChanged || tr.getMeta(ySyncPluginKey) || tr.getMeta(DECIDES)) return tr
    if (!this.#on) return tr.getMeta('uiEvent') ? tr : unstruck(tr)
    const fresh = crypto.randomUUID()
    const out = proposed(this.#editor.state, tr, id => this.#isMine(id), fresh)
    if (out?.docChanged) this.#made.add(fresh)
    this.#refused = !out
    clearTimeout(this.#timers.refused)
    if (out) return out
    this.#timers.refused = setTimeout(() => {
      this.#refused = false
      this.#queue()
    }, REFUSED_MS)
    this.#queue()
    return undefined
  }

  #isMine(id: string): boolean {
    return this.#made.has(id) || this.#whose.get(id)?.by[0] === this.#me
  }

  // Deciding

  /** The suggestion that the caret is in or at; of several, the one that was gone to. */
  #here(state = this.#editor.state): Suggestion | undefined {
    const { from, to } = state.selection
    const at = allIn(state.doc).filter(s => s.all.some(r => r.from <= from && to <= r.to))
    return at.find(s => s.id === this.#gone) ?? at.find(s => s.all.some(r => r.from < to && from < r.to)) ?? at[0]
  }

  get #all(): Suggestion[] {
    return allIn(this.#editor.state.doc)
  }

  #decideHere(accept: boolean): boolean {
    const here = this.#here()
    if (!here || !this.#editor.isEditable) return false
    this.#decide([here], accept)
    return true
  }

  #decide(some: Suggestion[], accept: boolean): void {
    const { view, state } = this.#editor
    view.dispatch(decide(state, some, accept).setMeta(DECIDES, true).scrollIntoView())
    const n = this.#all.length
    const done = accept ? say('Accepted') : say('Rejected')
    this.#news = n === 0 ? say('{done}. No suggestion is left.', done) : say('{done}. {count} left.', done, count(n))
    clearTimeout(this.#timers.news)
    this.#timers.news = setTimeout(() => {
      this.#news = ''
      this.#queue()
    }, REFUSED_MS)
    this.#draw()
    view.focus()
  }

  #go(by: number): boolean {
    if (this.#all.length === 0) return false
    const { view, state } = this.#editor
    const { from } = state.selection
    const here = this.#here()
    const n = this.#all.length
    let to = here ? this.#all.indexOf(here) + by : this.#all.findIndex(s => s.all[0].from > from)
    if (!here && by < 0) to = this.#all.findLastIndex(s => s.all[0].from < from)
    else if (!here && to < 0) to = 0
    const s = this.#all[(to + n) % n]
    this.#gone = s.id
    view.dispatch(state.tr.setSelection(TextSelection.create(state.doc, s.all[0].from)).scrollIntoView())
    view.focus()
    return true
  }

  #clicked(does: string | undefined): void {
    if (does === 'next') this.#go(1)
    if (does === 'previous') this.#go(-1)
    if (does === 'stop') {
      this.toggle()
      this.#editor.view.focus()
    }
    if (!this.#editor.isEditable) return
    if (does === 'accept' || does === 'reject') this.#decideHere(does === 'accept')
    if (does === 'accept-all' || does === 'reject-all') this.#decide(this.#all, does === 'accept-all')
  }

  // Whose they are

  #whoSoon(after: number): void {
    clearTimeout(this.#timers.who)
    if (this.#all.length > 0 || this.#on) this.#timers.who = setTimeout(() => void this.#who(), after)
  }

  async #who(): Promise<void> {
    try {
      const r = await fetch(this.#api, { cache: 'no-store' })
      if (!r.ok) throw new Error(`status ${r.status}`)
      const answer = (await r.json()) as { people: { id: string; name: string }[]; suggestions: ({ id: string } & Whose)[] }
      if (this.#editor.isDestroyed) return
      this.#names = new Map(answer.people.map(p => [p.id, p.name]))
      this.#whose = new Map(answer.suggestions.map(s => [s.id, s]))
      if (this.#all.some(s => !this.#whose.has(s.id) && s.all[0].mark.attrs.id)) this.#whoSoon(AGAIN_MS)
    } catch {
      // No network, or no database: the page's status tells.
      if (!this.#editor.isDestroyed) this.#whoSoon(AGAIN_MS)
    }
    this.#queue()
  }

  /** Who suggests what. */
  #by(s: Suggestion, what: string): string {
    const by = this.#whose.get(s.id)?.by ?? []
    const name = (id: string) => this.#names.get(id) ?? say('Somebody')
    const own = by.length === 0 ? this.#made.has(s.id) : by[0] === this.#me
    const also = by
      .slice(1)
      .map(id => (id === this.#me ? say('you') : name(id)))
      .join(say(' and '))
    if (own) return also ? say('You, and then {others}, suggest {what}', also, what) : say('You suggest {what}', what)
    const who = by.length === 0 ? say('Somebody') : name(by[0])
    return also ? say('{who}, and then {others}, suggest {what}', who, also, what) : say('{who} suggests {what}', who, what)
  }

  #about(s: Suggestion): string {
    const words = (kind: string) => {
      const all = s.all.filter(r => r.mark.type.name === kind).map(r => this.#editor.state.doc.textBetween(r.from, r.to))
      const text = all.join(' … ')
      return text.length > MOST ? `${text.slice(0, MOST)}…` : text
    }
    const [goes, comes] = [words('deletion'), words('insertion')]
    const what = goes && comes ? say('“{comes}” in place of “{goes}”', comes, goes) : goes ? say('to take out “{goes}”', goes) : say('to add “{comes}”', comes)
    const at = this.#whose.get(s.id)?.at
    return `${this.#by(s, what)}${at ? `, ${momentOf(at).replaceAll('-', '\u2011')}` : ''}`
  }

  // The bar

  // Once per frame, however many transactions a remote burst brings.
  #queue(): void {
    cancelAnimationFrame(this.#frame)
    this.#frame = requestAnimationFrame(() => {
      if (!this.#editor.isDestroyed) this.#draw()
    })
  }

  #draw(): void {
    const here = this.#here()
    const n = this.#all.length
    const { isEditable } = this.#editor
    if (!isEditable && this.#on) this.toggle()
    this.#bar.hidden = n === 0 && !this.#on && !this.#news
    this.#bar.toggleAttribute('data-on', this.#on)
    show(this.#mode, this.#refused ? REFUSED : this.#on ? MODE : '')
    const which = here && n > 1 ? say(' ({which} of {all})', this.#all.indexOf(here) + 1, n) : ''
    show(this.#says, here ? `${this.#about(here)}${which}` : this.#news || (n > 0 ? say('{count} in this note', count(n)) : ''))
    for (const b of this.#bar.querySelectorAll<HTMLElement>('[data-suggestions]')) {
      const does = b.dataset.suggestions
      const shown = does === 'stop' ? this.#on : does === 'next' || does === 'previous' ? n > 0 : does === 'accept' || does === 'reject' ? n > 0 && isEditable : n > 1 && isEditable
      if (!shown && document.activeElement === b) this.#editor.view.focus()
      b.hidden = !shown
      if (does === 'accept' || does === 'reject') (b as HTMLButtonElement).disabled = !here
    }
  }
}

function count(n: number): string {
  return sayCount(n, '{n} suggestion', '{n} suggestions')
}

function show(line: HTMLElement, text: string): void {
  line.hidden = text === ''
  if (line.textContent !== text) line.textContent = text
}
