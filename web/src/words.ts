// How many words are not saved yet.

import * as Y from 'yjs'

import type { Wrote } from './saved.ts'

/** Counts the words that a document's own client brought by some of its clocks, and that are there still. A word of which a letter is new counts. */
export function wordsOf(doc: Y.Doc, wrote: Wrote[]): number {
  const structs = doc.store.clients.get(doc.clientID) ?? []
  let text = ''
  let last: Y.Item | undefined
  for (let i = wrote.length > 0 ? beginning(structs, wrote[0].from) : structs.length; i < structs.length; i++) {
    const item = structs[i]
    if (!(item instanceof Y.Item) || item.deleted || !(item.content instanceof Y.ContentString)) continue
    for (const w of wrote) {
      const said = item.content.str.slice(Math.max(0, w.from - item.id.clock), Math.max(0, w.to - item.id.clock))
      if (said === '') continue
      text += item === last || item.left === last ? said : ` ${said}`
      last = item
    }
  }
  return text.split(/\s+/).filter(word => /[\p{L}\p{N}]/u.test(word)).length
}

/** Which struct is the first that reaches beyond a clock. */
function beginning(structs: (Y.Item | Y.GC | Y.Skip)[], clock: number): number {
  let i = structs.length
  while (i > 0 && structs[i - 1].id.clock + structs[i - 1].length > clock) i--
  return i
}
