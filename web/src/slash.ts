// What "/" offers: the kinds of block that a note is made of, and the sections that notes of this kind have and this one lacks.

import type { Editor, Range } from '@tiptap/core'
import { TextSelection } from '@tiptap/pm/state'

import { blocks } from './blocks.ts'
import { tellKey } from './keys.ts'
import { INSERTED } from './origins.ts'
import { say } from './say.ts'
import { byId } from './status.ts'
import type { Choice, Offer } from './suggest.ts'

/** What the slash menu offers in this note. */
export function slash(editor: Editor): Offer {
  tellKey('/', say('Insert a section, a heading, a list, a table or a task, at the beginning of a line or behind a space'))
  const sections = JSON.parse(byId('note').dataset.sections ?? '[]') as [heading: string, shown?: string][]
  return {
    label: say('Insert'),
    behind: /\/([\p{L}\p{N}]*)/u,
    choices: wanted => {
      const all: Choice[] = missing(editor, sections).map(([name, shown]) => ({ name, about: shown ?? say('Section'), run: typed => section(editor, typed, name) }))
      const words = new Map<Choice, string>()
      for (const b of blocks) {
        if (b.can?.(editor) === false) continue
        const run = (typed: Range) => void (editor.chain().focus().deleteRange(typed).run() && b.run(editor))
        const choice = { name: b.label, about: b.keywords[0], run }
        words.set(choice, b.keywords.join(' '))
        all.push(choice)
      }
      const plain = wanted.toLowerCase()
      const says = (c: Choice) => `${c.name} ${words.get(c) ?? c.about}`.toLowerCase()
      return all.filter(c => says(c).split(/[^\p{L}\p{N}]+/u).some(word => word.startsWith(plain)) || says(c).replaceAll(' ', '').startsWith(plain))
    },
  }
}

/** The sections whose heading the note does not have. */
function missing<S extends [string, ...unknown[]]>(editor: Editor, sections: S[]): S[] {
  const there = new Set<string>()
  editor.state.doc.descendants(node => {
    if (node.type.name === 'heading') there.add(node.textContent.trim().toLowerCase())
    return !node.isTextblock
  })
  return sections.filter(([s]) => !there.has(s.toLowerCase()))
}

/** Puts a section in: in place of an empty line, else below where one is. */
function section(editor: Editor, typed: Range, heading: string): void {
  editor
    .chain()
    .focus()
    .deleteRange(typed)
    .command(({ tr, state }) => {
      const { nodes } = state.schema
      const { $from } = tr.selection
      const title = nodes.heading.create({ level: 2 }, state.schema.text(heading))
      const empty = $from.depth === 1 && $from.parent.content.size === 0
      const at = empty ? $from.before(1) : $from.after(1)
      tr.replaceWith(at, $from.after(1), [title, nodes.paragraph.create()])
      tr.setSelection(TextSelection.create(tr.doc, at + title.nodeSize + 1))
      tr.setMeta('uiEvent', INSERTED)
      return true
    })
    .scrollIntoView()
    .run()
}
