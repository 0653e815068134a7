import * as Y from 'yjs'
import { b64, silent } from './render.mjs'
import { Random } from './history.mjs'

// Two people work apart on blocks of text that both know. What a person's own
// updates name as deleted they had seen; text that is gone in the end and that
// nobody named is lost. Yjs says what it is: it keeps all content here.

const words = ['ab ', 'warfarin', '😀', 'é', '5 mg ']

const block = (r, words) => {
  const e = new Y.XmlElement(r.pick(['paragraph', 'heading']))
  e.insert(0, [new Y.XmlText(r.pick(words))])
  return e
}

const list = (r, words) => {
  const e = new Y.XmlElement('listItem')
  e.insert(0, [block(r, words), block(r, words)])
  return e
}

const edit = (r, f, words) => {
  if (f.length === 0) return f.insert(0, [block(r, words)])
  const at = r.int(f.length)
  let e = f.get(at)
  while (e instanceof Y.XmlElement && e.nodeName === 'listItem' && e.length > 0 && r.chance(0.8)) e = e.get(r.int(e.length))
  const text = e.length > 0 ? e.get(0) : null
  switch (r.int(8)) {
    case 0: f.insert(at, [r.chance(0.3) ? list(r, words) : block(r, words)]); break
    case 1: f.delete(at, 1); break
    case 2: // what turning a paragraph into a heading does
      f.delete(at, 1)
      f.insert(at, [block(r, words)])
      break
    case 3: e.parent !== f && e.parent.length > 0 ? e.parent.delete(r.int(e.parent.length), 1) : f.delete(at, 1); break
    case 4: if (text instanceof Y.XmlText && text.length > 0) text.delete(r.int(text.length), 1); break
    default: if (text instanceof Y.XmlText) text.insert(r.int(text.length + 1), r.pick(words))
  }
}

export const lost = ({ seed, edits = 12 }) => {
  const r = new Random(seed)
  const people = [1, 2].map(client => {
    const doc = silent(new Y.Doc())
    doc.clientID = client
    return doc
  })
  people[0].transact(() => people[0].getXmlFragment('x').insert(0, [block(r, words), list(r, words), block(r, words)]))
  const first = Y.encodeStateAsUpdate(people[0])
  Y.applyUpdate(people[1], first)
  const said = [[], []]
  people.forEach((doc, i) => doc.on('update', (u, origin) => { if (origin !== 'other') said[i].push(u) }))
  const known = people.map(() => 0)
  const log = [{ by: 1, update: first }]
  for (let k = 0; k < edits; k++) {
    const i = r.int(2)
    people[i].transact(() => edit(r, people[i].getXmlFragment('x'), words))
    if (r.chance(0.25)) { // somebody hears of what is in the log
      const i = r.int(2)
      log.push(...said[i].splice(0).map(update => ({ by: i + 1, update })))
      log.slice(known[i]).forEach(e => Y.applyUpdate(people[i], e.update, 'other'))
      known[i] = log.length
    }
  }
  log.push(...said.flatMap((us, i) => us.map(update => ({ by: i + 1, update }))))

  // Who replays the log loses, at each update, what it deletes and does not name.
  const doc = silent(new Y.Doc({ gc: false }))
  const losses = log.map(({ update }) => {
    let gone = []
    const note = tr => {
      const named = Y.decodeUpdate(update).ds.clients
      const isNamed = (client, clock) => (named.get(client) ?? []).some(d => d.clock <= clock && clock < d.clock + d.len)
      Y.iterateDeletedStructs(tr, tr.deleteSet, s => {
        if (!(s.content instanceof Y.ContentString)) return
        for (let k = 0; k < s.length; k++) {
          if (!isNamed(s.id.client, s.id.clock + k)) gone.push({ client: s.id.client, clock: s.id.clock + k, unit: s.content.str.charCodeAt(k) })
        }
      })
    }
    doc.on('afterTransaction', note)
    Y.applyUpdate(doc, update)
    doc.off('afterTransaction', note)
    return gone.sort((a, b) => a.client - b.client || a.clock - b.clock)
  })
  return { log: log.map(e => b64(e.update)), losses }
}
