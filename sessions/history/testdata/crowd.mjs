import * as Y from 'yjs'
import { createHash } from 'node:crypto'

// A crowd writes one note: people type, delete, format, split and join blocks, partly in sync with a server, which
// takes their updates in some order. Each line is an update in that order, by whom, and what a client that was given
// all lines so far reads: the length and the hash of it.
//
//	node crowd.mjs SEED UPDATES

const [seed, updates] = process.argv.slice(2).map(Number)

let state = seed + 1
const int = n => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return Math.floor(state / 2 ** 32 * n)
}
const pick = a => a[int(a.length)]

const server = new Y.Doc()
const witness = new Y.Doc({ gc: false })

const people = [0, 1, 2, 3].map(i => {
  const doc = new Y.Doc()
  doc.clientID = 100 + i
  return { i, doc, out: [], seen: 0 }
})
for (const p of people) p.doc.on('update', (u, origin) => { if (origin !== server) p.out.push(u) })

const words = ['a', 'b ', 'warfarin ', '5 mg', 'é', '漢字', '😀', 'stable overnight ']
const blocks = f => f.toArray().filter(b => b instanceof Y.XmlElement)
const textOf = b => b.toArray().find(t => t instanceof Y.XmlText)

const edit = ({ doc }) => doc.transact(() => {
  const f = doc.getXmlFragment('default')
  const all = blocks(f)
  const t = all.length ? textOf(pick(all)) : undefined
  switch (int(12)) {
    case 0: {
      const e = new Y.XmlElement(pick(['paragraph', 'heading']))
      e.insert(0, [new Y.XmlText(pick(words))])
      f.insert(int(f.length + 1), [e])
      return
    }
    case 1:
      if (all.length > 3) f.delete(int(f.length), 1)
      return
    case 2: // splits a block, as an editor does: the rest of its text goes and comes again in a new one
      if (t?.length > 1) {
        const at = 1 + int(t.length - 1)
        const rest = t.toDelta().map(d => d.insert).join('').slice(at)
        t.delete(at, t.length - at)
        const e = new Y.XmlElement('paragraph')
        e.insert(0, [new Y.XmlText(rest)])
        f.insert(f.toArray().indexOf(t.parent) + 1, [e])
      }
      return
    case 3:
      if (t?.length > 2) t.format(int(t.length - 1), 1 + int(2), { bold: pick([{}, null]) })
      return
    case 4:
    case 5:
      if (t?.length > 1) {
        const at = int(t.length)
        t.delete(at, 1 + int(t.length - at))
      }
      return
    default:
      t?.insert(int(t.length + 1), pick(words))
  }
})

const log = []
const deliver = p => {
  for (const u of p.out.splice(0)) {
    Y.applyUpdate(server, u)
    Y.applyUpdate(witness, u)
    const says = witness.getXmlFragment('default').toString()
    log.push(JSON.stringify({ who: p.i, update: Buffer.from(u).toString('base64'), length: says.length, hash: createHash('sha256').update(says).digest('hex') }))
  }
}

for (edit(people[0]); log.length < updates;) {
  const p = pick(people)
  if (int(3) === 0) {
    deliver(p)
    Y.applyUpdate(p.doc, Y.encodeStateAsUpdate(server, Y.encodeStateVector(p.doc)), server)
  } else {
    edit(p)
  }
}
console.log(log.slice(0, updates).join('\n'))
