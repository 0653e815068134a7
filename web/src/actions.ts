// What is to be done: in a section for that, an empty line says how a task is begun, and a list that somebody begins there is one of tasks.
// Only these have an owner and a time, and come to people's lists and to the board. Nothing of the hint is part of the note.

import type { Editor } from '@tiptap/core'
import type { Node } from '@tiptap/pm/model'
import type { EditorState } from '@tiptap/pm/state'
import { Decoration, DecorationSet } from '@tiptap/pm/view'
import { ySyncPluginKey } from '@tiptap/y-tiptap'
import type * as Y from 'yjs'

import { tellKey } from './keys.ts'
import type { Place } from './late.ts'
import { say } from './say.ts'
import { byId } from './status.ts'

/** Calls f for each block of the note itself that stands in a section of that name. */
function eachIn(doc: Node, sections: string[], f: (block: Node, at: number) => void): void {
  let within = false
  doc.forEach((block, at) => {
    if (block.type.name === 'heading') within = sections.includes(block.textContent.trim())
    else if (within) f(block, at)
  })
}

export class Actions {
  #editor: Editor
  #sections = JSON.parse(byId('note').dataset.taskSections ?? '[]') as string[]
  #hint = say('“-” and a space begin a task; Alt+Enter says whose it is, and until when')
  #mine = false // the last change was made in this window

  constructor(editor: Editor, place: Place<DecorationSet>) {
    this.#editor = editor
    if (this.#sections.length === 0) return
    tellKey('-', say('Begin a task, in a section for what is to be done'))
    place.take(editor, {
      init: state => this.#hints(state),
      apply: (tr, was, _before, state) => {
        if (!tr.docChanged) return was
        this.#mine = !(tr.getMeta(ySyncPluginKey) as { isChangeOrigin?: boolean } | undefined)?.isChangeOrigin
        return this.#hints(state)
      },
      decorations: state => (editor.isEditable ? place.key.getState(state) : undefined),
      updated: before => {
        if (this.#mine && before.doc !== editor.state.doc && this.#begun(before)) queueMicrotask(() => this.#begun(before) && editor.commands.toggleTaskList())
      },
    })
  }

  #hints(state: EditorState): DecorationSet {
    const hints: Decoration[] = []
    eachIn(state.doc, this.#sections, (block, at) => {
      if (block.type.name === 'paragraph' && block.content.size === 0) {
        hints.push(Decoration.node(at, at + block.nodeSize, { class: 'task-hint', 'data-hint': this.#hint }))
      }
    })
    return DecorationSet.create(state.doc, hints)
  }

  // Whether the line that the caret stands in has just become a list, with nothing in it yet.
  #begun(before: EditorState): boolean {
    if (this.#editor.isDestroyed || !this.#editor.isEditable) return false
    const { doc, selection } = this.#editor.state
    const { $from } = selection
    if (before.selection.$from.depth !== 1 || $from.depth !== 3 || !/^(bullet|ordered)List$/.test($from.node(1).type.name)) return false
    let here = false
    eachIn(doc, this.#sections, (_block, at) => (here ||= at === $from.before(1)))
    return here && $from.node(1).childCount === 1 && $from.node(1).textContent === ''
  }
}

/** Leads to the task that an address names, by its element of the shared document. */
export function toTask(editor: Editor, hash: string): void {
  const [, client, clock] = /^#task-(\d+)-(\d+)$/.exec(hash) ?? []
  if (client === undefined) return
  const mapping: Map<Y.AbstractType<unknown>, Node> = ySyncPluginKey.getState(editor.state).binding.mapping
  const found = [...mapping].find(([type]) => type._item?.id.client === Number(client) && type._item.id.clock === Number(clock))?.[1]
  editor.state.doc.descendants((node, at) => {
    if (node !== found) return
    const shown = editor.view.nodeDOM(at)
    editor.commands.focus(at + 2, { scrollIntoView: false })
    if (shown instanceof HTMLElement) shown.scrollIntoView({ block: 'center' })
  })
}
