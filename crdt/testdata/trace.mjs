// Replays an editing trace (josephg/editing-traces) into yjs by index and
// writes each update as 4 bytes of length, little endian, and its bytes.
// Positions in a trace are code points.
import * as fs from 'node:fs'
import * as zlib from 'node:zlib'
import * as Y from 'yjs'

const trace = JSON.parse(zlib.gunzipSync(fs.readFileSync(process.argv[2])))
const doc = new Y.Doc()
doc.clientID = 1
const text = doc.getText('t')
const out = []
doc.on('update', u => {
  const n = Buffer.alloc(4)
  n.writeUInt32LE(u.length)
  out.push(n, Buffer.from(u))
})
if (trace.startContent) text.insert(0, trace.startContent)
for (const { patches } of trace.txns) {
  doc.transact(() => {
    for (const [at, del, ins] of patches) {
      if (del) text.delete(at, del)
      if (ins) text.insert(at, ins)
    }
  })
}
if (text.toString() !== trace.endContent) throw new Error('the replayed text is not the trace\'s')
process.stdout.write(Buffer.concat(out))
