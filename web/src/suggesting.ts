// Suggestions of wording: what is needed of them until there is one. The rest comes when somebody suggests, or when the note has one.

import type { Editor } from '@tiptap/core'

import { onKey } from './keys.ts'
import { say } from './say.ts'
import type { Suggestions } from './suggestions.ts'

export class Suggesting {
  #editor: Editor
  #note: string
  #me: string
  #rest: Promise<Suggestions | undefined> | undefined
  #frame = 0

  constructor(editor: Editor, note: string, me: string) {
    this.#editor = editor
    this.#note = note
    this.#me = me
    const toggle = () => void this.#load().then(rest => rest?.toggle())
    const off = onKey('Ctrl+Shift+E', say('Suggest words instead of writing them, or stop it'), toggle)
    editor.view.dom.addEventListener('suggest', toggle)
    editor.on('update', () => this.#look())
    editor.on('destroy', () => {
      off()
      cancelAnimationFrame(this.#frame)
    })
    this.#look()
  }

  #look(): void {
    if (this.#rest) return
    cancelAnimationFrame(this.#frame)
    this.#frame = requestAnimationFrame(() => {
      if (!this.#editor.isDestroyed && this.#editor.view.dom.querySelector('.suggested')) void this.#load()
    })
  }

  #load(): Promise<Suggestions | undefined> {
    this.#rest ??= import('./suggestions.ts').then(
      m => (this.#editor.isDestroyed ? undefined : new m.Suggestions(this.#editor, this.#note, this.#me)),
      () => (this.#rest = undefined), // no network: asked for again
    )
    return this.#rest
  }
}
