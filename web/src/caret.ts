// A key that moves the caret moves it in the page at once; the editor hears of it a moment later, by an event. Whatever it draws in between, such as
// what a colleague writes, would put the caret back to where it was, and the next letters with it. So it looks first.

import { type Editor, Extension } from '@tiptap/core'
import { yCursorPluginKey } from '@tiptap/y-tiptap'

let moves = false // whether a key or a pointer may have moved the caret since the editor looked
for (const by of ['keydown', 'pointerdown', 'pointerup']) addEventListener(by, () => (moves = true), true)

/**
 * Has the editor look where the caret stands in the page, if it may stand elsewhere: looking has the page laid out. Never while the shared
 * document is being changed: the binding would write the editor's text over it. What is composed keeps its caret.
 */
export function lookForCaret(editor: Editor): void {
  if (!moves || editor.isDestroyed || editor.view.composing) return
  moves = false
  // As the event has it done.
  ;(editor.view as unknown as { domObserver: { flush(): void } }).domObserver.flush()
}

/** Brings the focus back at once; looks before colleagues' carets are drawn, and marks that come by themselves; not as the editor gets the focus, when the caret is the browser's. */
export const CaretFirst = Extension.create({
  name: 'caretFirst',
  priority: 1, // behind Tiptap's own: of two commands of a name the later one holds
  addCommands: () => ({
    // Tiptap's own brings the focus back a frame later, and takes it from wherever a key has led meanwhile, such as into the bar to find by.
    focus: (position, options) => ({ view, tr, dispatch, commands }) => {
      if (dispatch && (position || !view.hasFocus())) {
        if (position) commands.setTextSelection(position as number)
        view.focus()
        if (options?.scrollIntoView !== false) tr.scrollIntoView()
      }
      return true
    },
  }),
  dispatchTransaction({ transaction: tr, next }) {
    const byItself = tr.getMeta(yCursorPluginKey) || (tr.getMeta('addToHistory') === false && !tr.getMeta('focus'))
    if (byItself && !tr.docChanged && !tr.selectionSet) {
      const { view } = this.editor
      lookForCaret(this.editor)
      if (!view.state.selection.eq(tr.selection)) tr.setSelection(view.state.selection)
    }
    next(tr)
  },
})
