// What "@" offers: the people who work with the note's patient. Who is chosen is named in the note, and told so on their pages.

import type { Editor } from '@tiptap/core'

import { colleaguesOf, type Colleague } from './colleagues.ts'
import { fold } from './find.ts'
import { kept } from './kept.ts'
import { tellKey } from './keys.ts'
import { say } from './say.ts'
import type { Offer } from './suggest.ts'

const APART = /[^\p{L}\p{N}]+/u

/** The colleagues who may be meant: each word that was typed begins one of their names, or what they are. */
export function named(all: Colleague[], wanted: string): Colleague[] {
  const words = fold(wanted).text.split(APART)
  return all.filter(c => {
    const theirs = fold(`${c.name} ${c.roleName}`).text.split(APART)
    return words.every(w => theirs.some(word => word.startsWith(w)))
  })
}

/** What "@" offers in a note to somebody: nobody names themselves. */
export function mentions(editor: Editor, note: string, me: string): Offer {
  tellKey('@', say('Name a colleague, who is told of it'))
  const people = kept(() => colleaguesOf(note))
  return {
    label: say('Colleagues'),
    behind: /@((?:[\p{L}\p{N}'’-]+ ?){0,3})/u,
    choices: async wanted =>
      named((await people()).filter(c => c.id !== me), wanted).map(c => ({
        name: c.name,
        about: c.roleName,
        run: typed => {
          const { state, view, schema } = editor
          const mention = schema.nodes.mention.create({ kind: 'person', id: c.id, label: c.name })
          view.dispatch(state.tr.replaceWith(typed.from, typed.to, [mention, schema.text(' ')]).scrollIntoView())
          view.focus()
        },
      })),
    none: say('Nobody of that name works with this patient.'),
  }
}
