import * as Y from 'yjs'

export const b64 = b => Buffer.from(b).toString('base64')
export const bytes = s => new Uint8Array(Buffer.from(s, 'base64'))

// yjs deletes redundant formats after remote changes. A replica that only
// relays must not, so documents marked silent do not.
const mute = proto => {
  const call = proto._callObserver
  proto._callObserver = function (transaction, keys) {
    call.call(this, transaction, keys)
    if (this.doc?.silent) transaction._needFormattingCleanup = false
  }
}
mute(Y.Text.prototype)

export const silent = doc => { doc.silent = true; return doc }

// plain turns shared types inside deltas and arrays into what they hold.
const plain = v => {
  if (v instanceof Y.Text) return { delta: delta(v) }
  if (v instanceof Y.Doc) return { doc: v.guid }
  if (v instanceof Y.XmlElement) {
    return { name: v.nodeName, attrs: plainAll(v.getAttributes()), children: v.toArray().map(plain) }
  }
  if (v instanceof Y.XmlHook) return { hook: v.hookName, map: plainMap(v) }
  if (v instanceof Y.XmlFragment) return { children: v.toArray().map(plain) }
  if (v instanceof Y.Map) return { map: plainMap(v) }
  if (v instanceof Y.Array) return { array: v.toArray().map(plain) }
  if (v instanceof Uint8Array) return { bytes: b64(v) }
  if (typeof v === 'bigint') return { bigint: String(v) }
  if (v === undefined) return { undefined: true }
  if (Array.isArray(v)) return v.map(plain)
  if (v !== null && typeof v === 'object') return plainAll(v)
  return v
}

const plainAll = o => Object.fromEntries(Object.entries(o).map(([k, v]) => [k, plain(v)]))
const plainMap = m => Object.fromEntries([...m.entries()].map(([k, v]) => [k, plain(v)]))

const delta = t => t.toDelta().map(op => ({
  insert: plain(op.insert), ...(op.attributes && { attributes: plainAll(op.attributes) })
}))

// render says all that can be seen of a document with the four test roots.
export const render = doc => ({
  text: doc.getText('t').toString(),
  delta: delta(doc.getText('t')),
  xml: doc.getXmlFragment('x').toArray().map(plain),
  array: doc.getArray('a').toArray().map(plain),
  map: plainMap(doc.getMap('m')),
  arrayJSON: plain(doc.getArray('a').toJSON()),
  mapJSON: plain(doc.getMap('m').toJSON()),
  xmlString: doc.getXmlFragment('x').toString(),
  sv: b64(Y.encodeStateVector(doc)),
  v1: b64(Y.encodeStateAsUpdate(doc)),
  v2: b64(Y.encodeStateAsUpdateV2(doc))
})
