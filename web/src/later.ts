// What is loaded once one can write: it marks the text, or says who is here, or leads to a place in it, and nobody waits for it.

import type { HocuspocusProvider } from '@hocuspocus/provider'
import type { Editor } from '@tiptap/core'
import type { DecorationSet } from '@tiptap/pm/view'

import { Actions, toTask } from './actions.ts'
import { Carried } from './carried.ts'
import { Here } from './here.ts'
import type { Place } from './late.ts'
import { Misreadings, type Seen } from './misreadings.ts'

/** Begins all of it, in places that were taken when the editor was made. page says which note it is, and who reads it. */
export function begin(editor: Editor, [misread, carried, actions]: Place<unknown>[], { awareness, document: doc }: HocuspocusProvider, page: DOMStringMap): void {
  const { note = '', userId: id, userName: name, userColor } = page
  new Misreadings(editor, misread as Place<Seen>)
  new Carried(editor, carried as Place<DecorationSet>, doc.getXmlFragment('default'), note)
  new Actions(editor, actions as Place<DecorationSet>)
  if (awareness) new Here(awareness, doc, editor, id && name ? { id, name, index: Number(userColor) } : undefined)
  toTask(editor, location.hash)
}
