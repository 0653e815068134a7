// Yjs's undo inserts a copy of what was deleted between what has become of its neighbours, which it traces one by one. Both may
// lead to one struct: then the copy has that one's end for its origin and that one's beginning for its right origin, which so
// stands before its origin. Where such a copy goes depends, in whoever receives it, on how they have cut the text at the time: to
// find a right origin inside a struct cuts it, and what was found for the origin is then its first half (Item.js, redoItem and
// getMissing). Replicas differ for ever. So whatever this browser inserts names the neighbours that it was given here, before
// anybody has seen it: for everybody it is an insertion in that place like any other.

import type * as Y from 'yjs'

import { structs } from './moves.ts'

/** Has each element that is inserted into a document here name, as its origin and right origin, the neighbours that it was given. */
export function nameNeighbours(doc: Y.Doc): void {
  // After all is inserted, and before structs are merged and the update is written (Transaction.js, cleanupTransactions).
  doc.on('beforeObserverCalls', (tr: Y.Transaction) => {
    if (tr.local) mend(tr)
  })
}

function mend(tr: Y.Transaction): void {
  const { doc, doc: { clientID: me } } = tr
  const fresh = [...structs(doc, me, tr.beforeState.get(me) ?? 0, tr.afterState.get(me) ?? 0)]
  const lefts = new Map(fresh.map(item => [item, item.left]))
  const rights = new Map(fresh.map(item => [item, item.right]))
  // From the newest on, each is taken out of its list again: what stands beside it then was there before it.
  for (const item of fresh.reverse()) {
    const left = lefts.get(item) ?? null
    const right = rights.get(item) ?? null
    if (left && rights.has(left)) rights.set(left, right)
    if (right && lefts.has(right)) lefts.set(right, left)
    if (!same(item.origin, left && left.lastId)) item.origin = left && left.lastId
    if (!same(item.rightOrigin, right && right.id)) item.rightOrigin = right && right.id
  }
}

function same(a: Y.ID | null, b: Y.ID | null): boolean {
  return a === b || (a !== null && b !== null && a.client === b.client && a.clock === b.clock)
}
