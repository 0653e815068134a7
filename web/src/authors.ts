// Who wrote what, on one key. The rest comes when somebody first wants to see it.

import type { Editor } from '@tiptap/core'
import type { DecorationSet } from '@tiptap/pm/view'
import type * as Y from 'yjs'

import type { Authorship } from './authorship.ts'
import { onKey } from './keys.ts'
import { Place } from './late.ts'
import { say } from './say.ts'
import { byId } from './status.ts'

export class Authors {
  constructor(editor: Editor, doc: Y.Doc) {
    const place = new Place<DecorationSet>(editor)
    const button = byId('authors-toggle')
    let rest: Promise<Authorship | undefined> | undefined
    const toggle = async (): Promise<void> => {
      rest ??= import('./authorship.ts').then(
        m => (editor.isDestroyed ? undefined : new m.Authorship(editor, doc, place)),
        () => (rest = undefined), // no network: asked for again
      )
      ;(await rest)?.toggle()
    }
    button.hidden = false
    button.addEventListener('click', () => void toggle())
    const off = onKey('Alt+A', say('Show who wrote what'), () => void toggle())
    editor.on('destroy', () => {
      off()
      button.hidden = true
    })
  }
}
