// What templates and phrases leave to be filled in: three asterisks or more. F2 goes from one to the next. Marks are decorations: they are no
// part of the note.

import type { Editor } from '@tiptap/core'
import type { Node } from '@tiptap/pm/model'
import { Plugin, PluginKey, TextSelection } from '@tiptap/pm/state'
import { Decoration, DecorationSet } from '@tiptap/pm/view'

import { onKey } from './keys.ts'
import { say } from './say.ts'
import { byId } from './status.ts'
import { eachText } from './texts.ts'

interface Stop {
  from: number
  to: number
}

interface Found {
  stops: Stop[]
  marks: DecorationSet
}

const key = new PluginKey<Found>('stops')

/** Where the stops of a text block begin and end in it. Blocks never change, only which there are. */
const known = new WeakMap<Node, Stop[]>()

function within(block: Node, text: () => string): Stop[] {
  let stops = known.get(block)
  if (!stops) {
    stops = [...text().matchAll(/\*{3,}/g)].map(m => ({ from: m.index, to: m.index + m[0].length }))
    known.set(block, stops)
  }
  return stops
}

/** All stops of a note, in its order. */
export function stopsOf(doc: Node): Stop[] {
  const all: Stop[] = []
  eachText(doc, (block, begins, text) => {
    for (const s of within(block, text)) all.push({ from: begins + s.from, to: begins + s.to })
  })
  return all
}

/** The stop to go to from a selection, forwards or back, around the ends of the note. */
export function stopFrom(stops: Stop[], at: Stop, back: boolean): Stop | undefined {
  if (back) return stops.findLast(s => s.to <= at.from && s.from < at.from) ?? stops.at(-1)
  return stops.find(s => s.from >= at.to && s.to > at.to) ?? stops[0]
}

export class Stops {
  #editor: Editor
  #button = byId('stops')

  constructor(editor: Editor) {
    this.#editor = editor
    editor.registerPlugin(
      new Plugin<Found>({
        key,
        state: {
          init: (_, state) => this.#found(state.doc),
          apply: (tr, was) => (tr.docChanged ? this.#found(tr.doc) : was),
        },
        props: { decorations: state => key.getState(state)?.marks },
        view: () => ({ update: () => this.#draw() }),
      }),
    )
    const go = () => this.#go(false)
    this.#button.addEventListener('click', go)
    const off = [onKey('F2', say('Go to the next *** that is to be filled in'), go), onKey('Shift+F2', say('Go to the *** before'), () => this.#go(true))]
    editor.on('destroy', () => {
      for (const end of off) end()
      this.#button.removeEventListener('click', go)
      this.#button.hidden = true
    })
    this.#draw()
  }

  #found(doc: Node): Found {
    const stops = stopsOf(doc)
    return { stops, marks: DecorationSet.create(doc, stops.map(s => Decoration.inline(s.from, s.to, { class: 'stop' }))) }
  }

  #go(back: boolean): void {
    const { state, view } = this.#editor
    const stop = stopFrom(key.getState(state)?.stops ?? [], state.selection, back)
    if (!stop) return
    view.focus()
    view.dispatch(state.tr.setSelection(TextSelection.create(state.doc, stop.from, stop.to)).scrollIntoView())
  }

  #draw(): void {
    const count = key.getState(this.#editor.state)?.stops.length ?? 0
    const says = say('{count} to fill in', count)
    this.#button.hidden = count === 0
    if (this.#button.textContent !== says) this.#button.textContent = says
  }
}
