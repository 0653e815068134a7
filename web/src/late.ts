// A plugin whose code is loaded once one can write. Its place is taken when the editor is made: a plugin that joins later has y-tiptap render the
// note anew, which moves the caret of whoever has begun to type.

import type { Editor } from '@tiptap/core'
import { Plugin, PluginKey, type EditorState, type Transaction } from '@tiptap/pm/state'
import type { DecorationSet } from '@tiptap/pm/view'

/** What such a plugin does. */
export interface Late<S> {
  init: (state: EditorState) => S
  apply: (tr: Transaction, was: S, before: EditorState, state: EditorState) => S
  decorations: (state: EditorState) => DecorationSet | undefined
  handleClick?: (at: number) => void
  handleKeyDown?: (e: KeyboardEvent) => boolean
  updated?: (before: EditorState) => void
}

/** The place for one. */
export class Place<S> {
  readonly key = new PluginKey<S | undefined>('late') // each has a name of its own
  #late: Late<S> | undefined

  constructor(editor: Editor) {
    editor.registerPlugin(
      new Plugin<S | undefined>({
        key: this.key,
        state: {
          init: () => undefined,
          apply: (tr, was, before, state) => this.#late && (was === undefined ? this.#late.init(state) : this.#late.apply(tr, was, before, state)),
        },
        props: {
          decorations: state => (this.key.getState(state) === undefined ? undefined : this.#late?.decorations(state)),
          handleClick: (_view, at) => void this.#late?.handleClick?.(at),
          handleKeyDown: (_view, e) => this.#late?.handleKeyDown?.(e) ?? false,
        },
        view: () => ({ update: (_view, before) => this.#late?.updated?.(before) }),
      }),
    )
  }

  /** Has what was loaded begin. */
  take(editor: Editor, late: Late<S>): void {
    this.#late = late
    editor.view.dispatch(editor.state.tr.setMeta('addToHistory', false))
  }
}
