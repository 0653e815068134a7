import * as Y from 'yjs'
import { render, b64, silent } from './render.mjs'

// A history: a few people edit a document, partly in sync, then a silent
// replica is given what they did, late, twice, out of order, merged, as v1 and
// v2. Every delivery comes with what yjs made of it.

const mulberry32 = a => () => {
  a = (a + 0x6D2B79F5) | 0
  let t = Math.imul(a ^ (a >>> 15), 1 | a)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}

export class Random {
  constructor (seed) { this.next = mulberry32(seed) }
  int (n) { return Math.floor(this.next() * n) }
  pick (a) { return a[this.int(a.length)] }
  fresh (a) { return structuredClone(this.pick(a)) } // yjs writes into attributes it is given
  chance (p) { return this.next() < p }
}

const words = ['a', 'b', 'warfarin ', '5 mg', 'é', 'ß§', '漢字', '😀', '👩‍⚕️', 'x😀y', '\n', '"\\', 'e\u0301', 'lorem ipsum dolor sit amet ']
const values = [null, true, false, 0, 1, -1, 63, 64, -64, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 1.5, 0.1, -1e-7, 1e21, 2 ** 53 - 1, '', 'v', '😀', [], {}, [1, [2, { a: null }]], { k: 'v', n: { d: 1.25 } }, undefined, new Uint8Array([0, 255, 7])]
const formats = [{ bold: true }, { bold: null }, { bold: {} }, { italic: {} }, { italic: null }, { link: { href: 'https://example.org/', n: 1 } }, { link: null }, { 'c--AbCd1234': { s: 'é"\\\n' } }]
const keys = ['k', 'align', 'level', '', '😀']
const names = ['paragraph', 'heading', 'codeBlock', 'Ünïcode']

const newType = (r, depth) => {
  switch (r.int(depth > 2 ? 3 : 6)) {
    case 0: return new Y.Text(r.pick(words))
    case 1: return new Y.Array()
    case 2: return new Y.Map([[r.pick(keys), r.fresh(values)]])
    case 3: {
      const e = new Y.XmlElement(r.pick(names))
      if (r.chance(0.5)) e.setAttribute(r.pick(keys), r.pick(['left', 'right', 1, 2, true, { o: 1 }]))
      if (r.chance(0.5)) e.insert(0, [new Y.XmlText(r.pick(words))])
      return e
    }
    case 4: return new Y.XmlText(r.pick(words))
    default: return new Y.XmlFragment()
  }
}

const newXml = r => {
  const e = r.chance(0.6) ? new Y.XmlElement(r.pick(names)) : r.chance(0.9) ? new Y.XmlText(r.pick(words)) : new Y.XmlHook('hook')
  if (e instanceof Y.XmlElement && r.chance(0.6)) e.insert(0, [new Y.XmlText(r.pick(words)), new Y.XmlElement(r.pick(names))])
  return e
}

const value = (r, depth) => r.chance(0.3) ? newType(r, depth) : r.chance(0.03) ? new Y.Doc({ guid: 'sub' + r.int(9), autoLoad: r.chance(0.5) }) : r.fresh(values)
const element = (r, depth) => { const v = value(r, depth); return v === undefined ? null : v }

const editText = (r, t) => {
  const len = t.length
  switch (r.int(10)) {
    case 0: case 1: case 2: case 3: t.insert(r.int(len + 1), r.pick(words)); break
    case 4: t.insert(r.int(len + 1), r.pick(words), r.fresh(formats)); break
    case 5: t.insertEmbed(r.int(len + 1), r.pick([{ image: 'a.png' }, { n: 1.5, b: true, s: 'é"' }, newType(r, 3)]), r.chance(0.5) ? r.fresh(formats) : undefined); break
    case 6: case 7: if (len > 0) { const i = r.int(len); t.delete(i, 1 + r.int(Math.min(8, len - i))) } break
    default: if (len > 0) { const i = r.int(len); t.format(i, 1 + r.int(len - i), r.fresh(formats)) }
  }
}

const editArray = (r, a, depth) => {
  const len = a.length
  switch (r.int(5)) {
    case 0: a.push([element(r, depth), element(r, depth)]); break
    case 1: a.insert(r.int(len + 1), [element(r, depth)]); break
    case 2: if (len > 0) { const i = r.int(len); a.delete(i, 1 + r.int(Math.min(4, len - i))) } break
    case 3: a.insert(r.int(len + 1), Array.from({ length: 1 + r.int(5) }, () => r.fresh(values) ?? null)); break
    default: if (len > 0) descend(r, a.get(r.int(len)), depth)
  }
}

const editMap = (r, m, depth) => {
  const k = r.pick(keys)
  switch (r.int(4)) {
    case 0: m.delete(k); break
    case 1: descend(r, m.get(k), depth); break
    default: m.set(k, value(r, depth))
  }
}

const editXml = (r, x, depth) => {
  const len = x.length
  switch (r.int(6)) {
    case 0: case 1: x.insert(r.int(len + 1), [newXml(r)]); break
    case 2: if (len > 0) { const i = r.int(len); x.delete(i, 1 + r.int(Math.min(2, len - i))) } break
    case 3:
      if (x instanceof Y.XmlElement) {
        r.chance(0.2) ? x.removeAttribute(r.pick(keys)) : x.setAttribute(r.pick(keys), r.pick(['left', 'right', 1, 2.5, false]))
        break
      }
    // falls through
    default: if (len > 0) descend(r, x.get(r.int(len)), depth)
  }
}

const descend = (r, v, depth) => {
  if (v instanceof Y.Text) editText(r, v)
  else if (v instanceof Y.XmlHook) v.set('h', r.fresh(values))
  else if (v instanceof Y.Map) editMap(r, v, depth + 1)
  else if (v instanceof Y.Array) editArray(r, v, depth + 1)
  else if (v instanceof Y.XmlFragment) editXml(r, v, depth + 1)
}

const edit = (r, doc) => {
  switch (r.int(8)) {
    case 0: case 1: return editText(r, doc.getText('t'))
    case 2: case 3: case 4: return editXml(r, doc.getXmlFragment('x'), 0)
    case 5: return editArray(r, doc.getArray('a'), 0)
    case 6: return editMap(r, doc.getMap('m'), 0)
    default: // someone types
      for (let i = r.int(6); i >= 0; i--) { const t = doc.getText('t'); t.insert(r.chance(0.7) ? t.length : r.int(t.length + 1), r.pick(words)) }
  }
}

const people = (r, n, gc) => Array.from({ length: n }, (_, i) => {
  const doc = new Y.Doc({ gc })
  doc.clientID = r.chance(0.3) ? 1 + r.int(200) * 7 + i : 2 ** 31 + r.int(2 ** 30) * 2 + i
  return doc
})

// talk brings b up to date with a, as a difference or by replaying the log.
const talk = (a, b) => Y.applyUpdate(b, Y.encodeStateAsUpdate(a, Y.encodeStateVector(b)))

const deliveries = (r, log) => {
  const out = []
  const late = []
  for (let i = 0; i < log.length; i++) {
    let u = log[i]
    if (r.chance(0.15)) { late.push(u); continue }
    if (r.chance(0.2)) {
      const k = 1 + r.int(5)
      u = Y.mergeUpdates([u, ...log.slice(i + 1, i + k)])
      if (r.chance(0.7)) i += k - 1
    }
    if (r.chance(0.1) && out.length > 0) u = Y.mergeUpdates([r.pick(out), u, r.pick(log)])
    out.push(u)
    if (r.chance(0.1)) out.push(r.pick(out))
    if (r.chance(0.1) && late.length > 0) out.push(late.splice(r.int(late.length), 1)[0])
  }
  if (r.chance(0.8)) out.push(...late)
  return out
}

export const history = ({ seed, gc = true, edits = 40 }) => {
  const r = new Random(seed)
  const docs = people(r, 2 + r.int(3), r.chance(0.8) ? gc : !gc)
  if (r.chance(0.5)) docs.forEach(silent)
  const log = []
  for (const doc of docs) doc.on('update', (u, origin, _, tr) => { if (tr.local || origin === 'cleanup') log.push(u) })
  for (let i = 0; i < edits; i++) {
    const doc = r.pick(docs)
    r.chance(0.3) ? doc.transact(() => { for (let k = r.int(4); k >= 0; k--) edit(r, doc) }) : edit(r, doc)
    if (r.chance(0.25)) talk(doc, r.pick(docs))
  }
  for (const doc of docs) log.push(Y.encodeStateAsUpdate(doc)) // cleanups included
  const mirror = silent(new Y.Doc({ gc }))
  const steps = []
  for (const u of deliveries(r, log)) {
    const v2 = r.chance(0.4)
    const b = v2 ? Y.convertUpdateFormatV1ToV2(u) : u
    v2 ? Y.applyUpdateV2(mirror, b) : Y.applyUpdate(mirror, b)
    const sv = Y.encodeStateVector(r.pick(docs))
    steps.push({ update: b64(b), isV2: v2, ...render(mirror), from: b64(sv), diff1: b64(Y.encodeStateAsUpdate(mirror, sv)), diff2: b64(Y.encodeStateAsUpdateV2(mirror, sv)) })
  }
  return { steps, log: log.map(b64), r }
}
