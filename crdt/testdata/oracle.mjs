// Answers questions about yjs, one JSON object per line in and out. Bytes are
// base64. The Go side is oracle_test.go.
import * as readline from 'node:readline'
import * as Y from 'yjs'
import { history } from './history.mjs'
import { local } from './local.mjs'
import { render, b64, bytes, silent } from './render.mjs'

const answers = {
  history,
  local,

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
