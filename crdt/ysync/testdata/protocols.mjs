// Prints what y-protocols and the Hocuspocus provider put on the wire, and
// reads back what the Go side wrote: one JSON object per line in and out. The
// Go side is protocols_test.go.
import * as readline from 'node:readline'
import * as encoding from 'lib0/encoding'
import * as decoding from 'lib0/decoding'
import * as sync from 'y-protocols/sync'
import * as auth from 'y-protocols/auth'
import * as awareness from 'y-protocols/awareness'
import * as Y from 'yjs'

const b64 = b => Buffer.from(b).toString('base64')
const bytes = s => new Uint8Array(Buffer.from(s, 'base64'))
const message = (...parts) => {
  const e = encoding.createEncoder()
  for (const p of parts) p(e)
  return b64(encoding.toUint8Array(e))
}
const uint = n => e => encoding.writeVarUint(e, n)

const doc = new Y.Doc()
doc.clientID = 1
doc.getText('t').insert(0, 'abc')
const aware = new awareness.Awareness(doc)
aware.setLocalState({ user: { name: 'Mei' }, cursor: null })

const answers = {
  write: () => ({
    sv: b64(Y.encodeStateVector(doc)),
    update: b64(Y.encodeStateAsUpdate(doc)),
    step1: message(uint(0), e => sync.writeSyncStep1(e, doc)),
    step2: message(uint(0), e => sync.writeSyncStep2(e, doc)),
    stepUpdate: message(uint(0), e => sync.writeUpdate(e, Y.encodeStateAsUpdate(doc))),
    aware: message(uint(1), e => encoding.writeVarUint8Array(e, awareness.encodeAwarenessUpdate(aware, [1]))),
    gone: message(uint(1), e => encoding.writeVarUint8Array(e, awareness.encodeAwarenessUpdate(aware, [1], new Map()))),
    denied: message(uint(2), e => auth.writePermissionDenied(e, 'no'))
  }),

  // Let a fresh client take a sync message and an awareness message.
  read ({ update, aware }) {
    const peer = new Y.Doc()
    const theirs = new awareness.Awareness(peer)
    let d = decoding.createDecoder(bytes(update))
    decoding.readVarUint(d)
    sync.readSyncMessage(d, encoding.createEncoder(), peer, null)
    d = decoding.createDecoder(bytes(aware))
    decoding.readVarUint(d)
    awareness.applyAwarenessUpdate(theirs, decoding.readVarUint8Array(d), null)
    theirs.destroy()
    return { text: peer.getText('t').toString(), state: theirs.getStates().get(42) }
  }
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  const question = JSON.parse(line)
  process.stdout.write(JSON.stringify(answers[question.cmd](question)) + '\n')
}
aware.destroy()
