// What the editor's document went through since the binding wrote it to the shared one, or read it from there: Moves asks.

import type { Editor } from '@tiptap/core'
import type { Node } from '@tiptap/pm/model'
import { Plugin, PluginKey } from '@tiptap/pm/state'
import { getRelativeSelection, type ProsemirrorBinding, ySyncPluginKey } from '@tiptap/y-tiptap'
import type * as Y from 'yjs'

import { type Edit, Moves, type Move } from './moves.ts'
import { write } from './strokes.ts'

const key = new PluginKey<Edit>('steps')

export class Steps {
  #editor: Editor
  #moves: Moves
  #shared: unknown // the document that was written last

  /** say is called with what each edit moved, before it is made. */
  constructor(editor: Editor, root: Y.XmlFragment, say: (moves: Move[]) => void) {
    this.#editor = editor
    this.#moves = new Moves(root, tr => this.#edit(tr), say)
    this.#wrap((ySyncPluginKey.getState(editor.state) as { binding: ProsemirrorBinding }).binding)
    editor.registerPlugin(
      new Plugin<Edit>({
        key,
        state: {
          init: (_config, state) => ({ before: state.doc, after: state.doc, maps: [] }),
          apply: (tr, edit, old) => {
            const read = (tr.getMeta(ySyncPluginKey) as { isChangeOrigin?: boolean } | undefined)?.isChangeOrigin
            if (read) return { before: tr.doc, after: tr.doc, maps: [] }
            const begun = old.doc === this.#shared ? { before: old.doc, after: old.doc, maps: [] } : edit
            if (!tr.docChanged) return begun
            return { before: begun.before, after: tr.doc, maps: [...begun.maps, ...tr.mapping.maps], event: begun.event ?? tr.getMeta('uiEvent') }
          },
        },
        props: {
          handleDOMEvents: {
            copy: () => {
              this.#moves.copied()
              return false
            },
          },
        },
      }),
    )
    editor.on('destroy', () => this.#moves.destroy())
  }

  #edit(tr: Y.Transaction): Edit | undefined {
    if (tr.origin !== ySyncPluginKey || this.#editor.isDestroyed) return undefined
    this.#shared = this.#editor.state.doc
    return key.getState(this.#editor.state)
  }

  // While it reads, the binding appends a text to the one beside it, which inserts in one transaction and deletes in another. What it writes, it compares.
  #wrap(binding: ProsemirrorBinding): void {
    const { _observeFunction: read, _forceRerender: readAll } = binding
    binding.type.unobserveDeep(read)
    binding._observeFunction = (...args: unknown[]) => this.#moves.render(() => read(...args))
    binding.type.observeDeep(binding._observeFunction)
    binding._forceRerender = () => this.#moves.render(() => readAll.call(binding))
    binding._prosemirrorChanged = (doc: Node) =>
      binding.doc.transact(() => {
        const edit = doc === this.#shared ? undefined : key.getState(this.#editor.state)
        write(edit?.after === doc ? edit : { before: doc, after: doc, maps: [] }, binding.type, binding)
        binding.beforeTransactionSelection = getRelativeSelection(binding, this.#editor.state)
      }, ySyncPluginKey)
  }
}
