// Comments beside the text. The server renders the threads, in words of its own; this file puts them in the order of the text, marks what
// they are about, and has the forms. What is written in a form stays while others answer.

import type { Editor } from '@tiptap/core'
import { TextSelection } from '@tiptap/pm/state'
import htmx from 'htmx.org/dist/htmx.esm.js'
import * as Y from 'yjs'

import './htmx.ts'
import { onKey, tellKey } from './keys.ts'
import { say } from './say.ts'
import { byId } from './status.ts'
import { type Element, type Range, type Stretch, Stretches } from './stretches.ts'

/** The stateless message by which the server says that there is news. */
export const COMMENTS = '{"type":"comments"}'

/** How long after a failure the server is asked again, and after an edit where text stands. */
const AGAIN_MS = 10_000
const PLACE_MS = 500

interface Place {
  start: Element
  end: Element
}

/** The stretch that somebody writes about, and has not said anything yet. */
const PENDING = 'pending'

export class Comments {
  #box = byId('comments')
  #list = byId('comments-list')
  #news = byId('comments-news')
  #toggle = byId('comments-toggle')
  #editor: Editor
  #saved: () => Promise<boolean>
  #api: string
  #stretches: Stretches
  #pending: Stretch | undefined
  #moved = new Map<string, Place>()
  #asking: Promise<void> | undefined
  #asked = false
  #editable = false
  #caretAt: string | undefined
  #timers: Record<string, ReturnType<typeof setTimeout>> = {}
  #gone = new AbortController()

  /** saved waits until what is written here is stored, and says whether it is. */
  constructor(note: string, doc: Y.Doc, editor: Editor, saved: () => Promise<boolean>) {
    this.#editor = editor
    this.#saved = saved
    this.#api = `/api/v1/notes/${note}/comments`
    this.#stretches = new Stretches(editor, doc, (id, place) => this.#tellPlace(id, place), id => this.#pick(id))
    const { signal } = this.#gone
    this.#toggle.hidden = byId('comments-close').hidden = false
    this.#toggle.addEventListener('click', () => this.#toggled(), { signal })
    byId('comments-close').addEventListener('click', () => this.#close(), { signal })
    this.#box.addEventListener('click', e => this.#clicked(e), { signal })
    this.#box.addEventListener('keydown', e => this.#key(e), { signal })
    this.#box.addEventListener('focusin', e => this.#stretches.activate(threadOf(e.target)?.dataset.thread ?? this.#pending?.id), { signal })
    this.#box.addEventListener('focusout', () => this.#soon('order', 0, () => this.#order()), { signal })
    const unbound = onKey('Ctrl+Alt+M', say('Comment on the text selected, or go to the comment at the caret'), () => this.begin())
    tellKey(say('N and P'), say('In the comments: the next one, the one before'))
    editor.view.dom.addEventListener('comment', () => this.begin(), { signal })
    editor.on('update', () => this.#soon('order', PLACE_MS, () => this.#order()))
    editor.on('selectionUpdate', () => this.#here())
    const head = document.querySelector('.note-sticky')
    // What stands beside the text begins below what stays on top.
    const below = () => {
      if (!head) return
      document.documentElement.style.setProperty('--sticky', `${head.clientHeight}px`)
      document.documentElement.style.setProperty('--beside', `${Math.ceil(head.getBoundingClientRect().bottom)}px`)
    }
    const sticky = new ResizeObserver(below)
    if (head) sticky.observe(head)
    document.addEventListener('scroll', below, { passive: true, signal })
    editor.on('destroy', () => {
      this.#gone.abort()
      unbound()
      sticky.disconnect()
      for (const t of Object.values(this.#timers)) clearTimeout(t)
      this.#box.hidden = this.#toggle.hidden = true
      this.#list.replaceChildren()
      byId('comments-new').replaceChildren()
    })
    this.#take()
    this.#open(!this.#box.hidden)
  }

  /** Says whether something can be said now. */
  show(editable: boolean): void {
    this.#editable = editable
    this.#scripted()
  }

  /** Asks what was said. One question at a time. */
  refresh(): void {
    this.#asked = true
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined))
  }

  /** Begins to comment on what is selected; on nothing selected, goes to what was said about the text at the caret, or begins about the whole note. */
  begin(): void {
    if (!this.#editable) return
    const { empty, from, to } = this.#editor.state.selection
    const at = empty ? this.#stretches.at(from) : undefined
    this.#open(true)
    if (at && at !== PENDING) {
      this.#thread(at)?.focus()
      return
    }
    const place = empty ? undefined : this.#stretches.ends({ from, to })
    const quote = place ? this.#editor.state.doc.textBetween(from, to, ' ') : ''
    this.#pending = place && { id: PENDING, ...place, words: '' }
    const form = this.#form(byId('comments-new'), place ? say('About: “{clip}”', clip(quote)) : say('About the whole note'), say('Comment'), async text => {
      if (!(await this.#saved())) throw new Error(say('The note is not saved now. Try again when it is.'))
      const { thread } = (await this.#post('', 'POST', { text, about: place })) as { thread: string }
      this.#pending = undefined
      await this.#now()
      this.#thread(thread)?.focus()
    })
    form.addEventListener('formgone', () => {
      this.#pending = undefined
      this.#mark()
    })
    this.#mark()
    this.#stretches.activate(this.#pending?.id)
  }

  // The server's list

  async #now(): Promise<void> {
    this.refresh()
    await this.#asking
  }

  async #ask(): Promise<void> {
    clearTimeout(this.#timers.again)
    while (this.#asked) {
      this.#asked = false
      try {
        await htmx.ajax('GET', this.#api.replace('/api/v1', ''), { target: '#comments-stage', swap: 'innerHTML' })
      } catch {
        // No network: asked again below.
      }
      if (this.#editor.isDestroyed) return
      const came = document.createDocumentFragment() // what it holds has the ids of what is shown
      came.append(...byId('comments-stage').childNodes)
      if (came.querySelector('#threads-open')) this.#merge(came)
      else this.#soon('again', AGAIN_MS, () => this.refresh())
    }
  }

  // Takes what came in place of what is shown. A form that somebody writes in is not touched, nor what has not changed.
  #merge(all: DocumentFragment): void {
    const news: string[] = []
    for (const came of all.querySelectorAll<HTMLElement>('.thread')) {
      const shown = this.#thread(came.dataset.thread ?? '')
      const one = shown ?? came
      if (shown?.dataset.acts !== came.dataset.acts) {
        if (came.dataset.lastOwn === undefined) news.push(came.dataset.lastBy ?? '')
        if (shown) this.#renew(shown, came)
      }
      if (shown) for (const [name, value] of Object.entries(came.dataset)) shown.dataset[name] = value
      const home = this.#list.querySelector(came.dataset.resolved === undefined ? '#threads-open' : '#threads-resolved')
      if (one.parentElement !== home) {
        if (came.dataset.resolved === undefined) delete one.dataset.resolved
        home?.append(one)
      }
    }
    for (const id of ['#threads-say', '#threads-done-count']) {
      const [to, from] = [this.#list.querySelector(id), all.querySelector(id)]
      if (to && from) to.textContent = from.textContent
    }
    this.#take()
    if (news.length > 0) this.#say(say('{names} said or did something in the comments.', [...new Set(news)].join(', ')))
  }

  #renew(shown: HTMLElement, came: HTMLElement): void {
    const focused = shown.contains(document.activeElement) && !shown.querySelector('form')?.contains(document.activeElement)
    const body = came.querySelector('.thread-body')
    if (body) shown.querySelector('.thread-body')?.replaceWith(body)
    if (focused && !shown.contains(document.activeElement)) shown.focus()
  }

  #take(): void {
    const open = this.#threads('#threads-open').length
    byId('comments-count').textContent = open > 0 ? String(open) : ''
    byId('threads-done').hidden = this.#threads('#threads-resolved').length === 0
    this.#scripted()
    this.#mark()
    this.#order()
  }

  // Buttons are for whom a script listens, and who may do something.
  #scripted(): void {
    for (const acts of this.#list.querySelectorAll<HTMLElement>('[data-script]')) acts.hidden = false
    for (const b of this.#list.querySelectorAll<HTMLButtonElement>('button[data-do]')) b.hidden = !this.#editable && b.dataset.do !== 'show'
  }

  #threads(within = '#comments-list'): HTMLElement[] {
    return [...this.#box.querySelectorAll<HTMLElement>(`${within} .thread`)]
  }

  #thread(id: string): HTMLElement | undefined {
    return this.#threads().find(t => t.dataset.thread === id)
  }

  // Where the text stands

  #mark(): void {
    const all = this.#threads('#threads-open').flatMap(t => {
      const s = stretchOf(t)
      return s ? { ...s, ...this.#moved.get(s.id) } : []
    })
    this.#stretches.set(this.#pending ? [...all, this.#pending] : all)
  }

  #where(thread: HTMLElement): Range | undefined {
    const s = stretchOf(thread)
    return s && (this.#stretches.where(s.id) ?? this.#stretches.where(s))
  }

  // Threads stand in the order of the text; about all of it first, about what is gone last. Nothing moves under somebody's hands.
  #order(): void {
    if (this.#editor.isDestroyed) return
    const home = byId('threads-open')
    const at = new Map<HTMLElement, number>()
    for (const t of this.#threads('#threads-open')) {
      const range = this.#where(t)
      const gone = t.dataset.start !== '' && !range
      const says = t.querySelector<HTMLElement>('.thread-gone')
      if (says) says.hidden = !gone
      at.set(t, t.dataset.start === '' ? -1 : (range?.from ?? Infinity))
    }
    if (home.contains(document.activeElement)) return
    const order = [...at.keys()].sort((a, b) => at.get(a)! - at.get(b)! || 0)
    if (order.some((t, i) => home.children[i] !== t)) home.append(...order)
  }

  // What was moved here is told once it is saved, so that the server finds it.
  #tellPlace(id: string, place: Place): void {
    if (id === PENDING) {
      if (this.#pending) Object.assign(this.#pending, place)
      return
    }
    this.#moved.set(id, place)
    this.#soon('place', PLACE_MS, () => void this.#tellPlaces())
  }

  async #tellPlaces(): Promise<void> {
    if (!(await this.#saved())) {
      this.#soon('place', AGAIN_MS, () => void this.#tellPlaces())
      return
    }
    for (const [id, place] of [...this.#moved]) {
      try {
        await this.#post(`/${id}/place`, 'POST', place)
      } catch {
        // The note is closed: its words tell where it is.
      }
      if (this.#moved.get(id) === place) this.#moved.delete(id)
    }
  }

  // What people do

  #clicked(e: Event): void {
    const button = (e.target as HTMLElement).closest<HTMLButtonElement>('button[data-do]')
    const thread = threadOf(e.target)
    if (!button || !thread) return
    const id = thread.dataset.thread ?? ''
    const comment = button.closest<HTMLElement>('[data-comment]')
    switch (button.dataset.do) {
      case 'show':
        this.#goTo(thread)
        return
      case 'answer':
        this.#form(thread, undefined, say('Answer'), text => this.#do(thread, `/${id}`, 'POST', { text }))
        return
      case 'resolve':
      case 'reopen':
        void this.#try(thread, this.#do(thread, `/${id}/resolved`, 'POST', { resolved: button.dataset.do === 'resolve' }))
        return
      case 'change': {
        const form = this.#form(thread, say('Your comment'), say('Change'), text => this.#do(thread, `/${id}/${comment?.dataset.comment}`, 'POST', { text }))
        const field = form.querySelector('textarea')!
        field.value = comment?.querySelector('.comment-words')?.textContent ?? ''
        return
      }
      case 'remove':
        if (button.dataset.sure === undefined) {
          button.dataset.sure = ''
          button.textContent = say('Really remove?')
          button.addEventListener('blur', () => {
            delete button.dataset.sure
            button.textContent = say('Remove')
          }, { once: true })
          return
        }
        void this.#try(thread, this.#do(thread, `/${id}/${comment?.dataset.comment}`, 'DELETE'))
    }
  }

  async #do(thread: HTMLElement, path: string, method: string, body?: object): Promise<void> {
    await this.#post(path, method, body)
    await this.#now()
    // What was resolved lies folded away, and the last comment of a thread takes it along: one goes on with what is open.
    const here = thread.checkVisibility() ? thread : (this.#threads('#threads-open')[0] ?? byId('comments-heading'))
    here.focus()
  }

  async #try(thread: HTMLElement, done: Promise<void>): Promise<void> {
    await done.catch((err: Error) => {
      const says = document.createElement('p')
      says.className = 'comment-error'
      says.setAttribute('role', 'alert')
      says.textContent = err.message
      thread.querySelector('.comment-error')?.remove()
      thread.append(says)
    })
  }

  async #post(path: string, method: string, body?: object): Promise<unknown> {
    const headers = { 'Content-Type': 'application/json' }
    const answer = await fetch(this.#api + path, { method, headers, body: body && JSON.stringify(body) }).catch(() => {
      throw new Error(say('There is no connection now. What you wrote is still here: try again.'))
    })
    if (answer.status === 204) return undefined
    const says = (await answer.json().catch(() => ({}))) as { detail?: string }
    if (!answer.ok) throw new Error(says.detail ?? say('That did not work. What you wrote is still here: try again.'))
    return says
  }

  // One form at a place at a time. What is written in one is kept until it is sent or cancelled.
  #form(place: HTMLElement, about: string | undefined, label: string, send: (text: string) => Promise<void>): HTMLFormElement {
    place.querySelector('form')?.remove()
    const template = byId('comment-form') as HTMLTemplateElement
    const form = template.content.firstElementChild!.cloneNode(true) as HTMLFormElement
    const field = form.querySelector('textarea')!
    const error = form.querySelector<HTMLElement>('.comment-error')!
    const button = form.querySelector('button')!
    const says = form.querySelector<HTMLElement>('.comment-about')!
    says.textContent = about ?? ''
    says.hidden = about === undefined
    form.querySelector('.comment-label')!.textContent = label
    button.textContent = label
    const end = () => {
      form.remove()
      form.dispatchEvent(new Event('formgone'))
    }
    form.addEventListener('submit', e => {
      e.preventDefault()
      button.disabled = true
      send(field.value).then(end, (err: Error) => {
        button.disabled = false
        error.textContent = err.message
        error.hidden = false
        field.focus()
      })
    })
    form.querySelector('[data-cancel]')!.addEventListener('click', () => {
      const thread = threadOf(form)
      end()
      if (thread) thread.focus()
      else this.#editor.commands.focus()
    })
    place.append(form)
    field.focus()
    return form
  }

  #key(e: KeyboardEvent): void {
    const thread = threadOf(e.target)
    const form = (e.target as HTMLElement).closest('form')
    if (form) {
      if (e.key === 'Escape') form.querySelector<HTMLElement>('[data-cancel]')?.click()
      else if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) form.requestSubmit()
      else return
    } else if (e.key === 'Escape') {
      if (thread) this.#goTo(thread)
      else this.#editor.commands.focus()
    } else if ((e.key === 'n' || e.key === 'p') && !e.ctrlKey && !e.altKey && !e.metaKey) {
      const all = this.#threads().filter(t => t.checkVisibility())
      const at = thread ? all.indexOf(thread) : -1
      const to = all[e.key === 'n' ? at + 1 : Math.max(at - 1, 0)]
      to?.focus()
      if (to && this.#beside) this.#scrollTo(to)
    } else {
      return
    }
    e.preventDefault()
  }

  // The panel

  get #beside(): boolean {
    return getComputedStyle(this.#box).position === 'fixed'
  }

  #open(open: boolean): void {
    this.#box.hidden = !open
    this.#toggle.setAttribute('aria-expanded', String(open))
    if (open && document.activeElement === this.#toggle) byId('comments-heading').focus()
  }

  // Below the text it is not in sight: then one goes there.
  #toggled(): void {
    if (this.#box.hidden || this.#beside) this.#open(this.#box.hidden)
    else this.#open(true)
  }

  #close(): void {
    this.#open(false)
    this.#toggle.focus()
  }

  // Somebody has clicked on text that was commented on: the caret is there, and stays there.
  #pick(id: string): void {
    const thread = this.#thread(id)
    if (!thread) return
    this.#open(true)
    this.#stretches.activate(id)
    if (this.#beside) thread.scrollIntoView({ block: 'nearest' })
  }

  #goTo(thread: HTMLElement): void {
    const range = this.#where(thread)
    if (!range) {
      this.#say(say('This is about text that is no longer there.'))
      return
    }
    const { doc } = this.#editor.state
    this.#editor.chain().command(({ tr }) => !!tr.setSelection(TextSelection.between(doc.resolve(range.from), doc.resolve(range.to)))).focus().scrollIntoView().run()
  }

  #scrollTo(thread: HTMLElement): void {
    const range = this.#where(thread)
    if (range) this.#editor.view.domAtPos(range.from).node.parentElement?.scrollIntoView({ block: 'nearest' })
  }

  // For who does not see the colour: that somebody has said something about the text at the caret.
  #here(): void {
    const { selection } = this.#editor.state
    const at = selection.empty ? this.#stretches.at(selection.from) : undefined
    if (at === this.#caretAt) return
    this.#caretAt = at
    const by = at && this.#thread(at)?.querySelector('.comment-by b')?.textContent
    if (by) this.#say(say('Commented on by {by}. Control, Alt and M go there.', by))
  }

  #say(text: string): void {
    this.#news.textContent = text
  }

  #soon(what: string, wait: number, f: () => void): void {
    clearTimeout(this.#timers[what])
    this.#timers[what] = setTimeout(f, wait)
  }
}

function threadOf(target: EventTarget | null): HTMLElement | undefined {
  return (target as HTMLElement | null)?.closest<HTMLElement>('.thread') ?? undefined
}

/** What a thread is about, as the server says; undefined: the whole note. */
function stretchOf(thread: HTMLElement): Stretch | undefined {
  const { thread: id = '', start = '', end = '', words = '', known = '' } = thread.dataset
  if (start === '') return undefined
  return { id, start: element(start), end: element(end), words, known: known === '' ? undefined : Y.decodeStateVector(Uint8Array.from(atob(known), c => c.charCodeAt(0))) }
}

function element(text: string): Element {
  const [client, clock] = text.split('.').map(Number)
  return { client, clock }
}

function clip(text: string): string {
  return text.length > 120 ? `${text.slice(0, 120)}…` : text
}
