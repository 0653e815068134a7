// Who has the note open, and whether they write; and following one of them, so that the page shows where they are.

import type { Editor } from '@tiptap/core'
import { ySyncPluginKey } from '@tiptap/y-tiptap'
import type { Awareness } from 'y-protocols/awareness'
import type * as Y from 'yjs'

import { onKey } from './keys.ts'
import { initials, paint, person, type Person } from './presence.ts'
import { say } from './say.ts'
import { byId } from './status.ts'

/** For how long after what they wrote last somebody counts as writing. */
const WRITING_MS = 8_000

/** What of the window, below what stays on top, a caret that is followed may stand in: parts of its height. */
const FROM = 0.1
const TO = 0.75

interface Colleague extends Person {
  writes: boolean
}

export class Here {
  #list = byId('presence')
  #banner = byId('following')
  #says = byId('following-says')
  #awareness: Awareness
  #editor: Editor
  #me: Person | undefined
  #wrote = new Map<number, number>()
  #items = new Map<string, HTMLElement>()
  #followed: Person | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #frame = 0
  #gone = new AbortController()

  constructor(awareness: Awareness, doc: Y.Doc, editor: Editor, me: Person | undefined) {
    this.#awareness = awareness
    this.#editor = editor
    this.#me = me
    const { signal } = this.#gone
    const changed = () => this.#draw()
    const wrote = (tr: Y.Transaction) => this.#saw(tr)
    awareness.on('change', changed)
    doc.on('afterTransaction', wrote)
    editor.on('transaction', ({ transaction }) => {
      const synced = (transaction.getMeta(ySyncPluginKey) as { isChangeOrigin?: boolean } | undefined)?.isChangeOrigin
      if (transaction.docChanged && !synced) this.#end() // one writes
      this.#look()
    })
    byId('following-end').addEventListener('click', () => this.#end(true), { signal })
    // One's own scrolling ends it: by wheel, finger, keys, or the bar at the window's edge.
    for (const type of ['wheel', 'touchmove']) document.addEventListener(type, () => this.#end(), { signal, passive: true })
    document.addEventListener('mousedown', e => e.target === document.documentElement && this.#end(), { signal })
    document.addEventListener('keydown', e => /^(Page|Arrow|Home$|End$)/.test(e.key) && this.#end(), { signal })
    window.addEventListener('resize', () => this.#look(), { signal })
    const unbound = onKey('Escape', say('Stop following a colleague'), () => this.#followed !== undefined && this.#end(true))
    editor.on('destroy', () => {
      this.#end()
      this.#gone.abort()
      unbound()
      clearTimeout(this.#timer)
      awareness.off('change', changed)
      doc.off('afterTransaction', wrote)
      this.#list.replaceChildren()
    })
    this.#draw()
  }

  // Whose client inserted something writes.
  #saw(tr: Y.Transaction): void {
    if (tr.local) return
    let news = false
    for (const [client, clock] of tr.afterState) {
      if (clock <= (tr.beforeState.get(client) ?? 0)) continue
      this.#wrote.set(client, Date.now())
      news = true
    }
    if (news) this.#draw()
  }

  #colleagues(): Map<string, Colleague> {
    const all = new Map<string, Colleague>()
    const since = Date.now() - WRITING_MS
    for (const [client, state] of this.#awareness.getStates()) {
      const p = client === this.#awareness.clientID ? undefined : person(state.user)
      if (!p || p.id === this.#me?.id) continue
      all.set(p.id, { ...p, writes: (this.#wrote.get(client) ?? 0) > since || (all.get(p.id)?.writes ?? false) })
    }
    return all
  }

  // What is there stays as it is, so that nobody loses the focus.
  #draw(): void {
    const all = this.#colleagues()
    const order: HTMLElement[] = []
    if (this.#me) order.push(this.#item('', this.#me, () => face('span', this.#me!, say('{name} (you)', this.#me!.name))))
    for (const p of [...all.values()].sort((a, b) => a.name.localeCompare(b.name))) {
      const item = this.#item(p.id, p, () => this.#button(p))
      const doing = item.querySelector('.doing')
      const does = p.writes ? ', writing' : ', reading'
      if (doing && doing.textContent !== does) doing.textContent = does
      item.toggleAttribute('data-writes', p.writes)
      order.push(item)
    }
    for (const [id, item] of this.#items) {
      if (order.includes(item)) continue
      item.remove()
      this.#items.delete(id)
    }
    order.forEach((item, i) => {
      if (this.#list.children[i] !== item) this.#list.insertBefore(item, this.#list.children[i] ?? null)
    })
    clearTimeout(this.#timer)
    if ([...all.values()].some(p => p.writes)) this.#timer = setTimeout(() => this.#draw(), WRITING_MS)
    if (this.#followed && !all.has(this.#followed.id)) this.#end()
  }

  #item(id: string, p: Person, make: () => HTMLElement): HTMLElement {
    let item = this.#items.get(id)
    if (item?.dataset.name !== p.name) {
      item?.remove()
      item = document.createElement('li')
      item.dataset.name = p.name
      item.append(make())
      this.#items.set(id, item)
    }
    return item
  }

  #button(p: Person): HTMLElement {
    const b = face('button', p, p.name)
    const doing = document.createElement('span')
    doing.className = 'doing'
    b.querySelector('.name')?.append(doing)
    b.setAttribute('type', 'button')
    b.setAttribute('aria-pressed', 'false')
    b.title = say('Follow {name}: show where they are', p.name)
    paint(b, p)
    b.addEventListener('click', () => (this.#followed?.id === p.id ? this.#end() : this.#follow(p)))
    return b
  }

  #follow(p: Person): void {
    this.#end()
    this.#followed = p
    this.#banner.className = 'following'
    paint(this.#banner, p)
    this.#banner.hidden = false
    this.#says.textContent = say('You follow {name}.', p.name)
    this.#items.get(p.id)?.querySelector('button')?.setAttribute('aria-pressed', 'true')
    this.#look()
  }

  #end(refocus = false): void {
    if (!this.#followed) return
    const button = this.#items.get(this.#followed.id)?.querySelector('button')
    button?.setAttribute('aria-pressed', 'false')
    if (refocus && this.#banner.contains(document.activeElement)) button?.focus()
    this.#followed = undefined
    this.#banner.hidden = true
    this.#says.textContent = ''
  }

  // Once a frame, however much others write.
  #look(): void {
    if (!this.#followed) return
    cancelAnimationFrame(this.#frame)
    this.#frame = requestAnimationFrame(() => this.#scroll())
  }

  #scroll(): void {
    const id = this.#followed?.id
    const carets = [...this.#editor.view.dom.querySelectorAll<HTMLElement>('.caret')].filter(c => c.dataset.person === id)
    const caret = carets.find(c => c.dataset.fresh !== undefined) ?? carets[0] // of several windows of theirs, where they are now
    if (!caret) return // they are here, and nowhere in the text
    const top = document.querySelector('.note-sticky')?.getBoundingClientRect().bottom ?? 0
    const height = innerHeight - top
    const at = caret.getBoundingClientRect().top - top
    if (at >= height * FROM && at <= height * TO) return
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches
    scrollBy({ top: at - height * 0.4, behavior: still ? 'instant' : 'smooth' })
  }
}

function face(tag: 'span' | 'button', p: Person, text: string): HTMLElement {
  const chip = document.createElement(tag)
  chip.className = 'chip'
  chip.title = text
  const mark = document.createElement('span')
  mark.className = 'face'
  mark.textContent = initials(p.name)
  mark.setAttribute('aria-hidden', 'true')
  paint(mark, p)
  const name = document.createElement('span')
  name.className = 'name'
  name.textContent = text
  chip.append(mark, name)
  return chip
}
