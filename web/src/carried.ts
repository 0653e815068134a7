// What of a note was carried forward from an earlier note of the patient is marked where one reads it, with how old it is. The marks are
// decorations, and no part of the note. Loaded once one can write.

import type { Editor } from '@tiptap/core'
import { Decoration, type DecorationSet } from '@tiptap/pm/view'
import { ySyncPluginKey } from '@tiptap/y-tiptap'
import type * as Y from 'yjs'

import { dayOf } from './dates.ts'
import type { Place } from './late.ts'
import { type Elements, Pieces } from './pieces.ts'
import { say, sayCount } from './say.ts'

/** How much has to come at once that the server is asked whether it was carried forward, and how long after. */
const MUCH = 32
const AFTER_MS = 1_500

/** How long nobody has to write that it is asked again where its text has moved to; and how long after a failure. */
const REST_MS = 5_000
const AGAIN_MS = 15_000

interface Source {
  author?: string
  at: string
}

interface Answer {
  people: { id: string; name: string }[]
  blocks: { spans: { origin: string; source?: Source; elements: Elements[] }[] }[]
}

/** Says from when carried text is: "from the note of 12-Nov-2026, 9 days old". */
export function says(at: Date, now: Date, author?: string): string {
  const days = Math.floor((now.getTime() - at.getTime()) / 86_400_000)
  const age = days < 1 ? say('less than a day old') : sayCount(days, 'a day old', '{n} days old')
  const day = dayOf(at.toISOString())
  return author ? say('from the note of {day}, {age}, written by {author}', day, age, author) : say('from the note of {day}, {age}', day, age)
}

export class Carried {
  #editor: Editor
  #place: Place<DecorationSet>
  #shared: Y.XmlFragment
  #note: string
  #pieces = new Pieces<string>()
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(editor: Editor, place: Place<DecorationSet>, shared: Y.XmlFragment, note: string) {
    this.#editor = editor
    this.#place = place
    this.#shared = shared
    this.#note = note
    place.take(editor, {
      init: state => this.#marks(state.doc),
      apply: (tr, was, before, state) => {
        if (tr.docChanged) {
          if (Math.abs(state.doc.content.size - before.doc.content.size) >= MUCH) this.#askIn(AFTER_MS)
          else if (!this.#pieces.empty) this.#askIn(REST_MS)
        }
        // A remote change replaces what decorations stood on; the shared document has it already.
        const synced = (tr.getMeta(ySyncPluginKey) as { isChangeOrigin?: boolean } | undefined)?.isChangeOrigin
        if (tr.getMeta(place.key) || synced) return this.#marks(state.doc)
        return tr.docChanged ? was.map(tr.mapping, tr.doc) : was
      },
      decorations: state => place.key.getState(state),
    })
    editor.on('destroy', () => clearTimeout(this.#timer))
    void this.#ask()
  }

  #marks(doc: Editor['state']['doc']): DecorationSet {
    return this.#pieces.decorations(this.#shared, doc, (from, to, title) => Decoration.inline(from, to, { class: 'by by-carried carried', title }))
  }

  #askIn(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#ask(), ms)
  }

  async #ask(): Promise<void> {
    try {
      const r = await fetch(`/api/v1/notes/${this.#note}/authors?origin=carried`, { cache: 'no-store', signal: AbortSignal.timeout(AGAIN_MS) })
      if (r.status >= 400 && r.status < 500) return // it is not for this page any more, which says so
      if (!r.ok) throw new Error(`status ${r.status}`)
      const { people, blocks } = (await r.json()) as Answer
      if (this.#editor.isDestroyed) return
      const names = new Map(people.map(p => [p.id, p.name]))
      const now = new Date()
      const was = this.#pieces.empty
      this.#pieces = new Pieces(
        blocks.flatMap(b => b.spans).flatMap(s => (s.source ? [{ elements: s.elements, of: says(new Date(s.source.at), now, names.get(s.source.author ?? '')) }] : [])),
      )
      if (was && this.#pieces.empty) return
      this.#editor.view.dispatch(this.#editor.state.tr.setMeta(this.#place.key, true).setMeta('addToHistory', false))
    } catch {
      // No network, or no database: the page's status tells.
      if (!this.#editor.isDestroyed) this.#askIn(AGAIN_MS)
    }
  }
}
