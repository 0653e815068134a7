// The popup for what is typed behind a sign, such as "/": a list to choose from by arrow keys, or by pointer. The focus
// stays in the text; a screen reader is told of the list by the text's own attributes.

import type { Editor, Range } from '@tiptap/core'
import { Plugin, PluginKey, type EditorState } from '@tiptap/pm/state'
import { ySyncPluginKey } from '@tiptap/y-tiptap'

import { say, sayCount } from './say.ts'
import { byId } from './status.ts'

/** How far back from the caret a sign is looked for. */
const BACK = 60

/** How many choices the list shows at most. */
const MOST = 20

const UNANSWERED = say('The server does not answer now. Type on to try again.')

/** Something to choose. */
export interface Choice {
  name: string
  /** More about it, in small. */
  about?: string
  /** Does it in place of what was typed. A promise fails if there was no answer. */
  run: (typed: Range) => void | Promise<void>
}

/** What is offered behind a sign. */
export interface Offer {
  /** What the list is called. */
  label: string
  /** What stands before the caret, from the sign on; its last group is what is looked for. */
  behind: RegExp
  /** What there is for that, the best first; later, if it has to be fetched. It fails without an answer. */
  choices: (wanted: string) => Choice[] | Promise<Choice[]>
  /** What is said if nothing fits; missing: nothing, since the sign means something else then. */
  none?: string
}

interface Open {
  offer: Offer
  wanted: string
  typed: Range
}

interface Asked {
  open?: Open
  /** Where what was dismissed begins: it stays closed there. */
  dismissed?: number
}

const key = new PluginKey<Asked>('suggest')

/** Finds what is typed behind a sign before the caret. The sign stands at the beginning of a block or behind a space. */
export function openAt(state: EditorState, offers: Offer[]): Open | undefined {
  const { empty, $from } = state.selection
  if (!empty || !$from.parent.isTextblock || $from.parent.type.spec.code) return undefined
  const at = $from.parentOffset
  const begins = Math.max(0, at - BACK)
  const text = $from.parent.textBetween(begins, at, undefined, '\ufffc')
  for (const offer of offers) {
    const m = new RegExp(`(?:^|[\\s\\ufffc])(${offer.behind.source})$`, 'u').exec(text)
    if (!m) continue
    const sign = m.index + m[0].length - m[1].length
    if (sign === 0 && begins > 0) continue // what stands before it is not known
    return { offer, wanted: m.at(-1) ?? '', typed: { from: $from.pos - m[1].length, to: $from.pos } }
  }
  return undefined
}

export class Suggest {
  #editor: Editor
  #list: HTMLElement
  #said: HTMLElement
  #shown: Choice[] = []
  #at = 0
  #open: Open | undefined
  #asked = 0

  constructor(editor: Editor, offers: Offer[]) {
    this.#editor = editor
    this.#list = element('ul', 'suggest')
    this.#list.id = 'suggest'
    this.#list.setAttribute('role', 'listbox')
    this.#list.tabIndex = 0 // it scrolls
    this.#list.hidden = true
    this.#said = element('p', 'sr-only')
    this.#said.setAttribute('role', 'status')
    byId('note').append(this.#list, this.#said)
    // The text keeps the focus: what is pressed on the list must not take it.
    this.#list.addEventListener('pointerdown', e => e.preventDefault())
    this.#list.addEventListener('click', e => {
      const i = [...this.#list.children].findIndex(c => c.contains(e.target as Node))
      if (i >= 0) this.#choose(i)
    })
    // Before all others: Enter chooses while there is something to choose.
    editor.registerPlugin(this.#plugin(offers), (first, others) => [first, ...others])
    const place = () => this.#place()
    window.addEventListener('scroll', place, { passive: true, capture: true })
    window.addEventListener('resize', place)
    editor.on('destroy', () => {
      window.removeEventListener('scroll', place, { capture: true })
      window.removeEventListener('resize', place)
      this.#list.remove()
      this.#said.remove()
    })
  }

  #plugin(offers: Offer[]): Plugin<Asked> {
    return new Plugin<Asked>({
      key,
      state: {
        init: () => ({}),
        apply: (tr, was, _before, state) => {
          const meta = tr.getMeta(key) as Asked | undefined
          if (meta) return meta
          const remote = (tr.getMeta(ySyncPluginKey) as { isChangeOrigin?: boolean } | undefined)?.isChangeOrigin
          const dismissed = was.dismissed === undefined ? undefined : tr.mapping.map(was.dismissed)
          // It opens by typing, and not by walking past a sign that stands there already.
          if (!was.open && dismissed === undefined && (!tr.docChanged || remote)) return was
          const open = openAt(state, offers)
          if (!open) return {}
          return open.typed.from === dismissed ? { dismissed } : { open }
        },
      },
      props: {
        handleKeyDown: (_view, e) => this.#key(e),
        handleDOMEvents: {
          blur: () => {
            this.#dismiss()
            return false
          },
        },
      },
      view: () => ({ update: () => void this.#ask(key.getState(this.#editor.state)?.open) }),
    })
  }

  async #ask(open: Open | undefined): Promise<void> {
    if (open === this.#open) return
    this.#open = open
    const asked = ++this.#asked
    const shown = this.#editor.isEditable ? open : undefined
    const choices = shown?.offer.choices(shown.wanted) ?? []
    let all: Choice[] = []
    let says = shown?.offer.none
    try {
      all = Array.isArray(choices) ? choices : await choices
    } catch {
      says = UNANSWERED
    }
    if (asked === this.#asked && !this.#editor.isDestroyed) this.#show(all.slice(0, MOST), says)
  }

  /** Shows what there is to choose, or says why there is nothing. */
  #show(choices: Choice[], none = ''): void {
    const dom = this.#editor.view.dom
    const same = choices.length > 0 && choices.length === this.#shown.length && choices.every((c, i) => c.name === this.#shown[i].name)
    this.#shown = choices
    const label = this.#open?.offer.label ?? ''
    const says = choices.length > 0 ? sayCount(choices.length, '{label}: {n} choice', '{label}: {n} choices', label) : none
    this.#list.hidden = says === ''
    if (!same) {
      this.#at = 0
      this.#list.replaceChildren(...(choices.length > 0 ? choices : [{ name: says }]).map((c, i) => this.#option(c, i)))
      if (this.#said.textContent !== says) this.#said.textContent = says
    }
    this.#list.setAttribute('aria-label', label)
    if (choices.length === 0) {
      for (const name of ['aria-controls', 'aria-activedescendant', 'aria-autocomplete']) dom.removeAttribute(name)
      this.#list.firstElementChild?.setAttribute('aria-disabled', 'true')
    } else {
      dom.setAttribute('aria-controls', this.#list.id)
      dom.setAttribute('aria-autocomplete', 'list')
      this.#mark()
    }
    this.#place()
  }

  #option(choice: Pick<Choice, 'name' | 'about'>, i: number): HTMLElement {
    const option = element('li', 'suggest-choice')
    option.id = `suggest-${i}`
    option.setAttribute('role', 'option')
    const name = element('span', '')
    name.textContent = choice.name
    option.append(name)
    if (choice.about) {
      const about = element('small', '')
      about.textContent = choice.about
      option.append(about)
    }
    return option
  }

  #mark(): void {
    ;[...this.#list.children].forEach((c, i) => c.setAttribute('aria-selected', String(i === this.#at)))
    this.#list.children[this.#at]?.scrollIntoView({ block: 'nearest' })
    this.#editor.view.dom.setAttribute('aria-activedescendant', `suggest-${this.#at}`)
  }

  /** Below what was typed, or above it where there is more room; within the window. */
  #place(): void {
    if (this.#list.hidden || !this.#open) return
    const { from } = this.#open.typed
    if (from > this.#editor.state.doc.content.size) return
    const at = this.#editor.view.coordsAtPos(from)
    const height = window.visualViewport?.height ?? window.innerHeight
    const { offsetWidth, offsetHeight } = this.#list
    const below = at.bottom + offsetHeight + 8 <= height || at.top < offsetHeight + 8
    this.#list.style.top = `${Math.round(below ? at.bottom + 4 : at.top - offsetHeight - 4)}px`
    this.#list.style.left = `${Math.round(Math.max(8, Math.min(at.left, document.documentElement.clientWidth - offsetWidth - 8)))}px`
  }

  #key(e: KeyboardEvent): boolean {
    if (this.#list.hidden || e.isComposing || e.ctrlKey || e.metaKey || e.altKey) return false
    const n = this.#shown.length
    if (n === 0 && e.key !== 'Escape') return false
    const to = { ArrowDown: this.#at + 1, ArrowUp: this.#at - 1 + n }[e.key]
    if (to !== undefined && !e.shiftKey) {
      this.#at = to % n
      this.#mark()
    } else if ((e.key === 'Enter' || e.key === 'Tab') && !e.shiftKey) {
      this.#choose(this.#at)
    } else if (e.key === 'Escape') {
      this.#dismiss()
    } else {
      return false
    }
    return true
  }

  #choose(i: number): void {
    const choice = this.#shown[i]
    const typed = this.#open?.typed
    if (!choice || !typed || !this.#editor.isEditable) return
    const { offer } = this.#open!
    this.#dismiss()
    void choice.run(typed)?.catch(() => {
      if (this.#editor.isDestroyed || this.#open) return
      this.#open = { offer, typed, wanted: '' } // until something else is done
      this.#show([], UNANSWERED)
    })
  }

  #dismiss(): void {
    const { view, state } = this.#editor
    const open = key.getState(state)?.open
    if (this.#editor.isDestroyed) return
    if (open) view.dispatch(state.tr.setMeta(key, { dismissed: open.typed.from }))
    else void this.#ask(undefined)
  }
}

function element(tag: string, name: string): HTMLElement {
  const e = document.createElement(tag)
  if (name) e.className = name
  return e
}
