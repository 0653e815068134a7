// What is loaded once one can write: it marks the text, or leads to a place in it, and nobody waits for it.

import type { Editor } from '@tiptap/core'
import type { DecorationSet } from '@tiptap/pm/view'
import type * as Y from 'yjs'

import { Actions, toTask } from './actions.ts'
import { Carried } from './carried.ts'
import type { Place } from './late.ts'
import { Misreadings, type Seen } from './misreadings.ts'

/** Begins all of it, in places that were taken when the editor was made. */
export function begin(editor: Editor, [misread, carried, actions]: Place<unknown>[], shared: Y.XmlFragment, note: string): void {
  new Misreadings(editor, misread as Place<Seen>)
  new Carried(editor, carried as Place<DecorationSet>, shared, note)
  new Actions(editor, actions as Place<DecorationSet>)
  toTask(editor, location.hash)
}
