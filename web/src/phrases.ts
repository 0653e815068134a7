// ".phrases": what somebody, or their unit, writes often. Choosing one puts its text in place of its name. Names are kept for a while, texts are fetched
// when they are needed; nothing is kept beyond the page.

import type { Editor, Range } from '@tiptap/core'
import { Fragment, Slice, type Node, type Schema } from '@tiptap/pm/model'
import { TextSelection } from '@tiptap/pm/state'

import { kept } from './kept.ts'
import { tellKey } from './keys.ts'
import { INSERTED } from './origins.ts'
import { say } from './say.ts'
import { stopsOf } from './stops.ts'
import type { Choice, Offer } from './suggest.ts'

const URL = '/api/v1/phrases'

interface Phrase {
  id: string
  name: string
  /** What the unit is called whose it is; missing: one's own. */
  unit?: string
}

/** What "." offers. */
export function phrases(editor: Editor): Offer {
  tellKey('.name', say('Insert a phrase of yours or of your unit'))
  const names = kept(() => ask<{ phrases: Phrase[] }>(URL).then(a => a.phrases))
  return {
    label: say('Phrases'),
    behind: /\.(\p{L}[\p{L}\p{N}-]*)/u,
    choices: async wanted => found(await names(), wanted).map(p => choice(editor, p)),
    none: say('Neither you nor your unit has a phrase of that name.'),
  }
}

/** The phrases that a name may mean: those that begin so before those that only have it in them. */
export function found(all: Phrase[], wanted: string): Phrase[] {
  const plain = wanted.toLowerCase()
  const begins = all.filter(p => p.name.startsWith(plain))
  return [...begins, ...all.filter(p => !begins.includes(p) && p.name.includes(plain))]
}

function choice(editor: Editor, phrase: Phrase): Choice {
  return { name: `.${phrase.name}`, about: phrase.unit ?? say('Yours'), run: typed => expand(editor, typed, phrase) }
}

async function ask<T>(url: string): Promise<T> {
  const answer = await fetch(url, { cache: 'no-store', signal: AbortSignal.timeout(8_000) })
  if (!answer.ok) throw new Error(`status ${answer.status}`)
  return (await answer.json()) as T
}

/** Without an answer it fails: the name stays, and can be chosen again. */
async function expand(editor: Editor, typed: Range, phrase: Phrase): Promise<void> {
  const name = editor.state.doc.textBetween(typed.from, typed.to)
  let { from, to } = typed
  const follow = ({ transaction: { mapping } }: { transaction: { mapping: { map: (at: number, side?: number) => number } } }) => {
    from = mapping.map(from, 1)
    to = mapping.map(to, -1)
  }
  editor.on('transaction', follow)
  try {
    const { text } = await ask<{ text: string }>(`${URL}/${phrase.id}`)
    const { doc } = editor.state
    // Who went on writing there meanwhile, or a colleague, keeps what they wrote.
    if (editor.isDestroyed || !editor.isEditable || to > doc.content.size || doc.textBetween(from, to) !== name) return
    insert(editor, { from, to }, text)
  } finally {
    editor.off('transaction', follow)
  }
}

/** Puts a phrase in, as one step to undo, and goes to the first stop in it. */
function insert(editor: Editor, at: Range, text: string): void {
  const all = blocksOf(editor.schema, text)
  if (all.length === 0) return
  const open = (node: Node | undefined) => (node?.type.name === 'paragraph' ? 1 : 0)
  editor
    .chain()
    .focus()
    .command(({ tr }) => {
      const before = tr.doc.content.size
      tr.replaceRange(at.from, at.to, new Slice(Fragment.from(all), open(all[0]), open(all.at(-1))))
      const end = at.to + tr.doc.content.size - before
      const stop = stopsOf(tr.doc).find(s => s.from >= at.from && s.to <= end)
      tr.setSelection(stop ? TextSelection.create(tr.doc, stop.from, stop.to) : TextSelection.near(tr.doc.resolve(end), -1))
      tr.setMeta('uiEvent', INSERTED)
      return true
    })
    .scrollIntoView()
    .run()
}

/** A phrase's text as blocks: each line a paragraph, lines that begin with "- " a list. */
export function blocksOf(schema: Schema, text: string): Node[] {
  const { paragraph, bulletList, listItem } = schema.nodes
  const line = (s: string) => paragraph.create(null, s === '' ? null : schema.text(s))
  const blocks: Node[] = []
  let items: Node[] = []
  const endList = () => {
    if (items.length > 0) blocks.push(bulletList.create(null, items))
    items = []
  }
  for (const raw of text.split('\n')) {
    const said = raw.trim()
    if (said.startsWith('- ')) {
      items.push(listItem.create(null, line(said.slice(2).trim())))
      continue
    }
    endList()
    if (said !== '') blocks.push(line(said))
  }
  endList()
  return blocks
}
