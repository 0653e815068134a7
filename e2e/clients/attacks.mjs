// What a malicious peer says: for each attack the messages it sends, without Hocuspocus's routing key. Yjs makes what
// it can be brought to make, lib0 the rest.

import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'
import { appendParagraph, fragment } from './note.mjs'

const encode = write => encoding.encode(write)
const uints = (...ns) => encode(e => { for (const n of ns) encoding.writeVarUint(e, n) })

const sync = sub => payload => encode(e => {
  encoding.writeVarUint(e, 0)
  encoding.writeVarUint(e, sub)
  encoding.writeVarUint8Array(e, payload)
})
const step2 = sync(1)
const update = sync(2)

const awareness = payload => encode(e => {
  encoding.writeVarUint(e, 1)
  encoding.writeVarUint8Array(e, payload)
})

/** An awareness message about others: [[client, clock, state]]. */
const saying = states => awareness(encode(e => {
  encoding.writeVarUint(e, states.length)
  for (const [client, clock, state] of states) {
    encoding.writeVarUint(e, client)
    encoding.writeVarUint(e, clock)
    encoding.writeVarString(e, JSON.stringify(state))
  }
}))

/** The update that takes clocks of a client and puts nothing there: a GC struct. */
const nothing = (client, clock, length) => uints(1, 1, client, clock, 0, length, 0)

/** The updates that Yjs makes while edit changes a copy of the attacker's document. */
function made (client, edit) {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(client.doc))
  const updates = []
  doc.on('update', u => updates.push(u))
  edit(doc)
  return updates
}

const whole = (client, edit) => made(client, doc => doc.transact(() => edit(doc)))

/** Every other of 2n keystrokes: n updates that each build on one that never comes. */
const gaps = (client, n) => made(client, doc => {
  const text = new Y.XmlText()
  fragment(doc).push([text])
  for (let i = 0; i < 2 * n; i++) text.insert(i, 'x')
}).filter((_, i) => i > 0 && i % 2 === 0)

function nest (doc, depth) {
  let at = fragment(doc)
  for (let i = 0; i < depth; i++) {
    const inner = new Y.XmlElement('blockquote')
    at.push([inner])
    at = inner
  }
}

/** Text, and a copy of what was deleted in it between one struct and itself, which Yjs's undo inserts if both neighbours lead to one: Item.js, redoItem. */
const undone = client => whole(client, doc => {
  appendParagraph(doc, 'abcd')
  const blocks = fragment(doc)
  const text = blocks.get(blocks.length - 1).get(0)
  const struct = Y.getItemCleanStart(doc._transaction, Y.createID(doc.clientID, text._start.id.clock + 2))
  const id = Y.createID(doc.clientID, Y.getState(doc.store, doc.clientID))
  new Y.Item(id, struct, struct.lastId, struct, struct.id, text, null, new Y.ContentString('x')).integrate(doc._transaction, 0)
})

/** One update in which n clients, from first on, take one clock each. */
const crowd = (n, first) => encode(e => {
  encoding.writeVarUint(e, n)
  for (let i = n - 1; i >= 0; i--) for (const x of [1, first + i, 0, 0, 1]) encoding.writeVarUint(e, x)
  encoding.writeVarUint(e, 0)
})

/** A few dozen bytes of version 2 that stand for a billion structs. */
function runLengthBomb () {
  const e = new Y.UpdateEncoderV2()
  const structs = 1e9
  for (const n of [1, structs]) encoding.writeVarUint(e.restEncoder, n)
  e.writeClient(9)
  encoding.writeVarUint(e.restEncoder, 0)
  e.writeInfo(0)
  e.writeLen(1)
  e.lenEncoder.count = structs
  encoding.writeVarUint(e.restEncoder, 0)
  return e.toUint8Array()
}

const most = Number.MAX_SAFE_INTEGER
const endless = new Uint8Array(12).fill(0xff)

/** Counts and lengths that nothing follows. */
const counts = {
  'clients': uints(most),
  'structs of a client': uints(1, most, 9, 0),
  'clocks of a struct': uints(1, 1, 9, 0, 0, most, 0),
  'a clock at the end of all': uints(1, 1, 9, most, 0, 1, 0),
  'a client of 2⁵³': new Uint8Array([1, 1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10, 0, 0, 1, 0]),
  'bytes of a text': uints(1, 1, 9, 0, 4, 1, 1, 116, most),
  'values of an array': uints(1, 1, 9, 0, 8, 1, 1, 116, most),
  'ranges of a deletion': uints(0, 1, 9, most),
  'clients of a deletion': uints(0, most),
  'deleted clocks': uints(0, 1, 9, 1, 0, most),
  'a number that never ends': endless,
  'a longer zero': new Uint8Array([0x80, 0x00, 0x00])
}

/** Each takes the attacker and what the test knows of the victim, and returns messages. */
export const attacks = {
  hijack: (c, { victim }) => [update(nothing(victim, Y.getState(c.doc.store, victim), 1e6))],
  hijackStep2: (c, { victim }) => [step2(nothing(victim, Y.getState(c.doc.store, victim), 1e6))],
  send: (_, { bytes }) => [update(new Uint8Array(Buffer.from(bytes, 'base64')))],
  gaps: (c, { n }) => gaps(c, n).map(update),
  undone: c => undone(c).map(update),
  nested: (c, { depth }) => whole(c, doc => nest(doc, depth)).map(update),
  nestedOneByOne: (c, { depth }) => made(c, doc => nest(doc, depth)).map(update),
  crowd: (_, { n, times }) => Array.from({ length: times }, (_, i) => update(crowd(n, 1e9 + i * n))),
  v2: c => [update(Y.convertUpdateFormatV1ToV2(whole(c, doc => appendParagraph(doc, 'second format'))[0]))],
  runLengthBomb: () => [update(runLengthBomb())],
  runLengthBombStep2: () => [step2(runLengthBomb())],
  count: (_, { what }) => [update(counts[what])],
  countStep2: (_, { what }) => [step2(counts[what])],
  question: () => [sync(0)(uints(most))],
  awarenessCount: () => [awareness(uints(most))],
  awarenessLength: () => [encode(e => { for (const n of [1, most]) encoding.writeVarUint(e, n) })],
  largeState: c => [saying([[c.doc.clientID, 99, { cursor: null, filler: 'x'.repeat(5000) }]])],
  manyStates: (_, { n }) => [saying(Array.from({ length: n }, (_, i) => [1e9 + i, 1, {}]))],
  speakAs: (_, { victim }) => [saying([[victim, 1e9, { user: { name: 'Mallory' }, cursor: null }]])],
  silence: (_, { victim }) => [saying([[victim, 1e9, null]])]
}
