import * as Y from 'yjs'
import { render, b64, bytes, silent } from './render.mjs'
import { Random } from './history.mjs'

// A history whose edits can be made again: every edit is described as JSON, and
// comes with the updates that yjs emitted for it and what the document became.
// Between edits people exchange updates: late, twice, out of order, merged, as
// v1 and v2, or as the difference to a state vector.

const words = ['a', 'b', 'warfarin ', '5 mg', 'é', '漢字', '😀', '👩‍⚕️', 'x😀y', '\n', '"\\', 'e\u0301', 'lorem ipsum dolor sit amet ']
const plainValues = [null, true, false, 0, 1, -1, 63, 64, -64, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 1.5, 0.1, -1e-7, 1e21, 2 ** 53 - 1, '', 'v', '😀', [], {}, [1, [2, { a: null }]], { k: 'v', n: { d: 1.25 } }]
const formats = [{ 9: 1, 10: { 2: 'b', 1: ['a', { a: { n: [] }, z: null }] }, bold: true }, { 10: null }, { bold: true }, { bold: null }, { bold: {} }, { italic: {} }, { italic: null }, { bold: true, italic: null }, { bold: {}, italic: true, link: { href: 'x' } }, { link: { href: 'https://example.org/', n: 1 } }, { link: null }, { 'c--AbCd1234': { s: 'é"\\\n' } }, {}]
const keys = ['k', 'align', 'level', '', '😀']
const names = ['paragraph', 'heading', 'codeBlock', 'Ünïcode']

const spec = (r, depth) => {
  switch (r.int(depth > 2 ? 3 : 7)) {
    case 0: return { $: 'text', s: r.pick(['', ...words]) }
    case 1: return { $: 'array', list: many(r, 3, () => element(r, depth + 1)) }
    case 2: return { $: 'map', keys: Object.fromEntries(keys.slice().sort().filter(() => r.chance(0.3)).map(k => [k, value(r, depth + 1)])) }
    case 3: return { $: 'xmltext', s: r.pick(['', ...words]) }
    case 4: return { $: 'fragment', list: many(r, 2, () => xml(r, depth + 1)) }
    case 5: return { $: 'hook', name: 'hook', keys: { h: r.pick(plainValues) } }
    default: return xml(r, depth)
  }
}
const many = (r, n, f) => Array.from({ length: r.int(n + 1) }, f)
const xml = (r, depth) => r.chance(0.4)
  ? { $: 'xmltext', s: r.pick(words) }
  : { $: 'element', name: r.pick(names), keys: r.chance(0.5) ? { align: r.pick(['left', 1, true]), level: r.int(3) } : {}, list: depth > 2 ? [] : many(r, 2, () => xml(r, depth + 1)) }
const element = (r, depth) => r.chance(0.25)
  ? spec(r, depth)
  : r.chance(0.05)
    ? { $: 'bytes', b: b64(new Uint8Array([0, 255, r.int(9)])) }
    : r.chance(0.05)
      ? { $: 'doc', guid: 'sub' + r.int(9), autoLoad: r.chance(0.5) }
      : r.pick(plainValues)
const value = (r, depth) => r.chance(0.05) ? { $: 'undefined' } : r.chance(0.05) ? { $: 'bigint', s: '-9007199254740993' } : element(r, depth)

// build makes what a spec describes.
const build = v => {
  if (v === null || typeof v !== 'object') return v
  if (Array.isArray(v)) return v.map(build)
  const list = () => v.list.map(build)
  switch (v.$) {
    case undefined: return structuredClone(v)
    case 'text': return new Y.Text(v.s)
    case 'xmltext': return new Y.XmlText(v.s)
    case 'array': return Y.Array.from(list())
    case 'map': return new Y.Map(Object.entries(v.keys).map(([k, x]) => [k, build(x)]))
    case 'fragment': { const f = new Y.XmlFragment(); f.insert(0, list()); return f }
    case 'element': {
      const e = new Y.XmlElement(v.name)
      e.insert(0, list())
      for (const k in v.keys) e.setAttribute(k, build(v.keys[k]))
      return e
    }
    case 'hook': { const h = new Y.XmlHook(v.name); for (const k in v.keys) h.set(k, build(v.keys[k])); return h }
    case 'bytes': return bytes(v.b)
    case 'doc': return new Y.Doc({ guid: v.guid, autoLoad: v.autoLoad })
    case 'undefined': return undefined
    case 'bigint': return BigInt(v.s)
  }
}

// embedded returns the types that a text holds, in order.
const embedded = t => t.toDelta().map(op => op.insert).filter(v => v instanceof Y.AbstractType)

const at = (doc, path) => path.slice(1).reduce((t, k) => t instanceof Y.Text ? embedded(t)[k] : t.get(k), { t: () => doc.getText('t'), x: () => doc.getXmlFragment('x'), a: () => doc.getArray('a'), m: () => doc.getMap('m') }[path[0]]())

// choose describes an edit of the type at path.
const choose = (r, t, path) => {
  const op = (o, rest) => ({ path, op: o, ...rest })
  const len = t.length
  if (t instanceof Y.Text) {
    if (t instanceof Y.XmlText && r.chance(0.1)) return r.chance(0.7) ? op('set', { key: r.pick(keys), value: r.pick(plainValues) }) : op('remove', { key: r.pick(keys) })
    if (r.chance(0.15)) {
      const inside = embedded(t)
      if (inside.length > 0) { const k = r.int(inside.length); return choose(r, inside[k], [...path, k]) }
    }
    const index = r.chance(0.2) ? len : r.int(len + 1)
    switch (r.int(12)) {
      case 0: case 1: case 2: case 3: return op('insert', { index, text: r.pick(words) })
      case 4: return op('insertFormatted', { index, text: r.pick(words), formats: r.pick(formats) })
      case 5: return op('embed', { index, value: r.chance(0.5) ? spec(r, 3) : r.pick([{ image: 'a.png' }, { b: true, n: 1.5, s: 'é"' }]), formats: r.pick(formats) })
      case 6: case 7: case 8: if (len > 0) { const i = r.int(len); return op('delete', { index: i, n: 1 + r.int(Math.min(r.chance(0.2) ? len : 8, len - i)) }) } break
      case 9: return op('delta', { delta: delta(r, len) })
      default: if (len > 0) { const i = r.int(len); return op('format', { index: i, n: 1 + r.int(len - i), formats: r.pick(formats) }) }
    }
    return op('insert', { index, text: r.pick(words) })
  }
  if (t instanceof Y.Map) {
    const key = r.pick(keys)
    switch (r.int(6)) {
      case 0: return op('remove', { key })
      case 1: return r.chance(0.1) ? op('clear', {}) : op('set', { key, value: value(r, 1) })
      case 2: case 3: { const v = t.get(key); if (v instanceof Y.AbstractType) return choose(r, v, [...path, key]) }
    }
    return op('set', { key, value: value(r, path.length) })
  }
  const isXml = t instanceof Y.XmlFragment
  switch (r.int(8)) {
    case 0: return op('push', { values: isXml ? [xml(r, path.length)] : [element(r, path.length), element(r, path.length)] })
    case 1: if (len > 0) { const i = r.int(len); return op('delete', { index: i, n: 1 + r.int(Math.min(4, len - i)) }) } break
    case 2: if (t instanceof Y.XmlElement) return r.chance(0.2) ? op('remove', { key: r.pick(keys) }) : op('set', { key: r.pick(keys), value: r.pick(['left', 'right', 1, 2.5, false]) }); break
    case 3: case 4: case 5: if (len > 0) {
      const i = r.int(len)
      const v = t.get(i)
      if (v instanceof Y.AbstractType) return choose(r, v, [...path, i])
    }
  }
  return op('insertList', { index: r.int(len + 1), values: isXml ? many(r, 2, () => xml(r, path.length)) : many(r, 5, () => element(r, path.length)) })
}

const delta = (r, len) => {
  const out = []
  for (let k = r.int(5); k >= 0; k--) {
    const n = 1 + r.int(4)
    switch (r.int(4)) {
      case 0: out.push({ insert: r.pick(words), attributes: r.pick(formats) }); break
      case 1: if (len >= n) { out.push({ delete: n }); len -= n } break
      default: if (len >= n || r.chance(0.1)) { out.push({ retain: n, attributes: r.pick(formats) }); len -= n }
    }
  }
  return out
}

const make = (doc, o) => {
  const t = at(doc, o.path)
  const f = o.formats && structuredClone(o.formats)
  switch (o.op) {
    case 'insert': return t.insert(o.index, o.text)
    case 'insertFormatted': return t.insert(o.index, o.text, f)
    case 'embed': return t.insertEmbed(o.index, build(o.value), f)
    case 'delete': return t.delete(o.index, o.n)
    case 'format': return t.format(o.index, o.n, f)
    case 'delta': return t.applyDelta(o.delta.map(x => structuredClone(x))) // which keeps what is shared within one
    case 'set': return t instanceof Y.Map ? t.set(o.key, build(o.value)) : t.setAttribute(o.key, build(o.value))
    case 'remove': return t instanceof Y.Map ? t.delete(o.key) : t.removeAttribute(o.key)
    case 'clear': return t.clear()
    case 'push': return t.push(o.values.map(build))
    case 'insertList': return t.insert(o.index, o.values.map(build))
  }
}

// shadow is what the last transaction of a document emitted.
const watch = doc => {
  doc.on('update', u => { doc.u1 = b64(u) })
  doc.on('updateV2', u => { doc.u2 = b64(u) })
}

export const local = ({ seed, gc = true, edits = 40 }) => {
  const r = new Random(seed)
  const docs = Array.from({ length: 2 + r.int(3) }, (_, i) => {
    const doc = silent(new Y.Doc({ gc }))
    doc.clientID = r.chance(0.3) ? 1 + r.int(200) * 7 + i : 2 ** 31 + r.int(2 ** 30) * 2 + i
    doc.getText('t'); doc.getXmlFragment('x'); doc.getArray('a'); doc.getMap('m')
    watch(doc)
    return doc
  })
  const favourite = r.chance(0.5) ? r.pick(['t', 'x', 'a', 'm']) : null
  const roots = doc => ({ t: doc.getText('t'), x: doc.getXmlFragment('x'), a: doc.getArray('a'), m: doc.getMap('m') })
  const log = []
  const steps = []
  const step = (who, rest) => {
    const doc = docs[who]
    steps.push({ who, ...rest, u1: doc.u1, u2: doc.u2, ...render(doc) })
    if (rest.ops && doc.u1) log.push(doc.u1)
    doc.u1 = doc.u2 = undefined
  }
  for (let k = 0; k < edits; k++) {
    const who = r.int(docs.length)
    const doc = docs[who]
    if (r.chance(0.65) || log.length === 0) {
      const ops = []
      const edit = () => {
        const root = favourite && r.chance(0.7) ? favourite : r.pick(['t', 't', 'x', 'a', 'm'])
        const o = choose(r, roots(doc)[root], [root])
        ops.push(o)
        make(doc, o)
      }
      r.chance(0.4) ? doc.transact(() => { for (let n = r.int(5); n >= 0; n--) edit() }) : edit()
      step(who, { ops })
      continue
    }
    let u
    if (r.chance(0.4)) u = Y.encodeStateAsUpdate(r.pick(docs), Y.encodeStateVector(doc))
    else if (r.chance(0.3)) u = Y.mergeUpdates(many(r, 6, () => bytes(r.pick(log))).concat(bytes(r.pick(log))))
    else u = bytes(r.chance(0.5) ? log[log.length - 1] : r.pick(log))
    const isV2 = r.chance(0.4)
    if (isV2) Y.applyUpdateV2(doc, u = Y.convertUpdateFormatV1ToV2(u))
    else Y.applyUpdate(doc, u)
    step(who, { update: b64(u), isV2 })
  }
  return { clients: docs.map(d => d.clientID), steps }
}
