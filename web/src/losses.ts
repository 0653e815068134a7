// Words of this person that went with what somebody else removed: a paragraph
// turned into a heading while they typed in it. The page shows them until their
// author has put them back or does not want them; the server remembers which.

import type { Editor } from '@tiptap/core'
import { TextSelection } from '@tiptap/pm/state'
import { relativePositionToAbsolutePosition, ySyncPluginKey } from '@tiptap/y-tiptap'
import * as Y from 'yjs'

import { restored } from './restore.ts'
import { say } from './say.ts'

/** The stateless message by which the server says that there is news. */
export const LOSSES = '{"type":"losses"}'

/** How long after a failure the server is asked again. */
const AGAIN_MS = 10_000

type Remedy = 'restored' | 'dismissed'

interface Place {
  client: number
  clock: number
}

/** A loss as the API lists it. */
export interface Loss {
  id: string
  text: string
  author: { id: string }
  by: { id: string; name: string }
  bySeq: number
  replaced: boolean
  place: Place[]
}

/** Losses that are shown as one: what somebody typed went keystroke by keystroke. */
export interface Removed {
  ids: string[]
  words: string
  by: string
  own: boolean
  replaced: boolean
  place: Place[]
}

/** Puts together what one change removed from one place. The newest loss comes first. */
export function together(losses: Loss[]): Removed[] {
  const all = new Map<string, Removed>()
  for (const l of [...losses].reverse()) {
    const outermost = l.place.at(-1)
    const key = `${l.bySeq} ${outermost?.client} ${outermost?.clock}`
    const one = all.get(key)
    if (one) {
      one.ids.push(l.id)
      one.words += l.text
    } else {
      const own = l.by.id === l.author.id
      all.set(key, { ids: [l.id], words: l.text, by: l.by.name, own, replaced: l.replaced, place: l.place })
    }
  }
  return [...all.values()].filter(one => one.words.trim() !== '')
}

/** What happened, in a sentence. */
export function sentence(one: Removed): string {
  if (one.own && one.replaced) return say('You, in another window, changed the paragraph that you were typing in. These words of yours were removed:')
  if (one.own) return say('You, in another window, deleted the paragraph that you were typing in. These words of yours were removed:')
  if (one.replaced) return say('{name} changed the paragraph that you were typing in. These words of yours were removed:', one.by)
  return say('{name} deleted the paragraph that you were typing in. These words of yours were removed:', one.by)
}

export class LossNotice {
  #box: HTMLElement
  #url: string
  #doc: Y.Doc
  #editor: Editor
  #editable = false
  #again: ReturnType<typeof setTimeout> | undefined
  #asking: Promise<void> | undefined
  #asked = false
  /** What was decided here and the server does not know yet. */
  #settled = new Map<string, Remedy>()

  constructor(box: HTMLElement, note: string, doc: Y.Doc, editor: Editor) {
    this.#box = box
    this.#url = `/api/v1/notes/${note}/losses`
    this.#doc = doc
    this.#editor = editor
  }

  /** Says whether words can be put back now. */
  show(editable: boolean): void {
    this.#editable = editable
    for (const b of this.#box.querySelectorAll<HTMLButtonElement>('button[data-remedy="restored"]')) b.hidden = !editable
  }

  /** Asks what waits, after it has told what was decided. One question at a time. */
  refresh(): void {
    this.#asked = true
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined))
  }

  async #ask(): Promise<void> {
    clearTimeout(this.#again)
    try {
      while (this.#asked) {
        this.#asked = false
        await this.#tell()
        const answer = await fetch(`${this.#url}?waiting=true`, { cache: 'no-store' })
        if (!answer.ok) throw new Error(`status ${answer.status}`)
        const { losses } = (await answer.json()) as { losses: Loss[] }
        this.#draw(together(losses.filter(l => !this.#settled.has(l.id))))
      }
    } catch {
      // No network, or no database: the page's status tells.
      this.#again = setTimeout(() => this.refresh(), AGAIN_MS)
    }
  }

  async #tell(): Promise<void> {
    for (const how of ['restored', 'dismissed'] as const) {
      const losses = [...this.#settled].filter(([, h]) => h === how).map(([id]) => id).slice(0, 100)
      if (losses.length === 0) continue
      const body = JSON.stringify({ losses, how })
      const answer = await fetch(`${this.#url}/settle`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body })
      if (!answer.ok) throw new Error(`status ${answer.status}`)
      for (const id of losses) this.#settled.delete(id)
    }
  }

  /** Shows what waits. What is shown already stays as it is, and is not read out again. */
  #draw(all: Removed[]): void {
    const shown = new Map([...this.#box.children].map(e => [(e as HTMLElement).dataset.loss, e]))
    const next = all.map(one => shown.get(key(one)) ?? this.#item(one))
    for (const [, e] of shown) if (!next.includes(e)) e.remove()
    next.forEach((e, i) => {
      if (this.#box.children[i] !== e) this.#box.insertBefore(e, this.#box.children[i] ?? null)
    })
    this.#box.hidden = next.length === 0
  }

  #item(one: Removed): HTMLElement {
    const item = document.createElement('div')
    item.className = 'loss'
    item.dataset.loss = key(one)
    const said = document.createElement('p')
    said.setAttribute('role', 'alert')
    said.textContent = sentence(one)
    const words = document.createElement('blockquote')
    words.textContent = one.words
    words.tabIndex = 0 // it scrolls
    words.setAttribute('aria-label', say('Removed words'))
    const back = this.#button(say('Put it back'), 'restored', () => this.#restore(one))
    back.hidden = !this.#editable
    const dismiss = this.#button(say('Dismiss'), 'dismissed', () => this.#editor.commands.focus())
    for (const b of [back, dismiss]) b.addEventListener('click', () => this.#settle(one, b.dataset.remedy as Remedy, item))
    const actions = document.createElement('div')
    actions.className = 'loss-actions'
    actions.append(back, dismiss)
    item.append(said, words, actions)
    return item
  }

  #button(label: string, remedy: Remedy, act: () => void): HTMLButtonElement {
    const b = document.createElement('button')
    b.type = 'button'
    b.className = 'btn'
    b.dataset.size = 'sm'
    if (remedy === 'dismissed') b.dataset.variant = 'outline'
    b.dataset.remedy = remedy
    b.textContent = label
    b.addEventListener('click', act)
    return b
  }

  #settle(one: Removed, how: Remedy, item: HTMLElement): void {
    for (const id of one.ids) this.#settled.set(id, how)
    item.remove()
    this.#box.hidden = this.#box.children.length === 0
    this.refresh()
  }

  /** An edit like any other, which selects what it brought. */
  #restore(one: Removed): void {
    const editor = this.#editor
    const { at, blocks } = restored(editor.state.doc, this.#position(one.place), one.words)
    const size = blocks.reduce((n, b) => n + b.nodeSize, 0)
    editor
      .chain()
      .command(({ tr }) => {
        tr.insert(at, blocks)
        tr.setSelection(TextSelection.between(tr.doc.resolve(at), tr.doc.resolve(at + size)))
        return true
      })
      .focus()
      .scrollIntoView()
      .run()
  }

  /** Where the words stood: beside the innermost of their holders that lies in something that is still there. */
  #position(place: Place[]): number {
    const { state } = this.#editor
    const { type, binding } = ySyncPluginKey.getState(state)
    for (const item of place) {
      const position = Y.createRelativePositionFromJSON({ item, assoc: 0 })
      const there = Y.createAbsolutePositionFromRelativePosition(position, this.#doc)
      if (!there || there.type._item?.deleted) continue
      const at = relativePositionToAbsolutePosition(this.#doc, type, position, binding.mapping)
      if (at !== null) return at
    }
    return state.doc.content.size
  }
}

function key(one: Removed): string {
  return one.ids.join(' ')
}
