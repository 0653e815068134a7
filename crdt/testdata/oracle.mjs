// Answers questions about yjs, one JSON object per line in and out. Bytes are
// base64. The Go side is oracle_test.go.
import * as readline from 'node:readline'
import * as Y from 'yjs'
import { history } from './history.mjs'
import { local } from './local.mjs'
import { lost } from './lost.mjs'
import { render, b64, bytes, silent } from './render.mjs'

// past replays a log and says what the document was after its first few updates,
// where places in it are encoded, and where they are in the end.
const past = ({ seed, edits = 30 }) => {
  const { log, r } = history({ seed, edits, gc: false })
  const doc = silent(new Y.Doc({ gc: false }))
  const roots = () => [doc.getText('t'), doc.getXmlFragment('x'), doc.getArray('a')]
  roots()
  const cut = 1 + r.int(log.length)
  log.slice(0, cut).forEach(u => Y.applyUpdate(doc, bytes(u)))
  const snapshot = Y.snapshot(doc)
  const at = { s1: b64(Y.encodeSnapshot(snapshot)), s2: b64(Y.encodeSnapshotV2(snapshot)) }
  const places = []
  for (const type of roots().flatMap(t => [t, ...(t instanceof Y.Text ? [] : t.toArray().filter(c => c instanceof Y.Text || c instanceof Y.Array || c instanceof Y.XmlElement))])) {
    for (let k = 0; k < 6; k++) {
      const index = r.int(type.length + 1)
      const assoc = r.pick([0, 1, -1])
      places.push({ type, index, assoc, position: Y.createRelativePositionFromTypeIndex(type, index, assoc) })
    }
  }
  log.slice(cut).forEach(u => Y.applyUpdate(doc, bytes(u)))
  const path = t => t._item === null ? [[...doc.share].find(([, v]) => v === t)[0]] : [...path(t.parent), `${t._item.id.client}-${t._item.id.clock}`]
  return {
    log,
    cut,
    ...at,
    ...render(Y.createDocFromSnapshot(doc, snapshot, silent(new Y.Doc({ gc: true })))),
    places: places.map(p => {
      const a = Y.createAbsolutePositionFromRelativePosition(p.position, doc)
      return { path: path(p.type), index: p.index, assoc: p.assoc, b: b64(Y.encodeRelativePosition(p.position)), found: a !== null, now: a?.index ?? 0 }
    })
  }
}

const answers = {
  history,
  past,
  local,
  lost,

  // Apply updates to an empty document and say what it became.
  apply ({ updates, gc = true }) {
    const doc = silent(new Y.Doc({ gc }))
    for (const u of updates) {
      u.v2 ? Y.applyUpdateV2(doc, bytes(u.b)) : Y.applyUpdate(doc, bytes(u.b))
    }
    return render(doc)
  },

  merge ({ updates, v2 }) {
    const merged = v2 ? Y.mergeUpdatesV2(updates.map(bytes)) : Y.mergeUpdates(updates.map(bytes))
    return { b: b64(merged), sv: b64(v2 ? Y.encodeStateVectorFromUpdateV2(merged) : Y.encodeStateVectorFromUpdate(merged)) }
  },

  diff: ({ update, sv, v2 }) => ({
    b: b64(v2 ? Y.diffUpdateV2(bytes(update), bytes(sv)) : Y.diffUpdate(bytes(update), bytes(sv)))
  }),

  convert: ({ update, v2 }) => ({
    b: b64(v2 ? Y.convertUpdateFormatV2ToV1(bytes(update)) : Y.convertUpdateFormatV1ToV2(bytes(update)))
  })
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  const question = JSON.parse(line)
  let answer
  try {
    answer = answers[question.cmd](question)
  } catch (e) {
    answer = { error: String(e.stack) }
  }
  process.stdout.write(JSON.stringify(answer) + '\n')
}
