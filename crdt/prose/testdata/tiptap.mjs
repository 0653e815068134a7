// Says what Tiptap and y-tiptap make of a schema, of notes and of updates: one
// JSON object per line in and out. The Go side is tiptap_test.go.
import { readFileSync } from 'node:fs'
import * as readline from 'node:readline'
import * as Y from 'yjs'
import { getSchema } from '@tiptap/core'
import { Schema } from '@tiptap/pm/model'
import StarterKit from '@tiptap/starter-kit'
import { initProseMirrorDoc, prosemirrorJSONToYXmlFragment, updateYFragment, yXmlFragmentToProsemirrorJSON, yXmlFragmentToProseMirrorRootNode } from '@tiptap/y-tiptap'

const starterKit = getSchema([StarterKit.configure({ undoRedo: false, trailingNode: false })])

// The newest schema, as its file says it. That the editor's is the same is for the editor's own test.
const { nodes, marks } = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const specs = list => Object.fromEntries(list.map(({ name, attrs, ...spec }) =>
  [name, { ...spec, attrs: Object.fromEntries((attrs ?? []).map(a => [a.name, { default: a.default }])) }]))
const schema = new Schema({ topNode: 'doc', nodes: specs(nodes), marks: specs(marks) })
const b64 = b => Buffer.from(b).toString('base64')
const bytes = s => new Uint8Array(Buffer.from(s, 'base64'))

const attrs = a => Object.entries(a).map(([name, v]) => ({ name, default: v.default ?? null }))
const kinds = types => Object.values(types).map(t => ({
  name: t.name,
  ...(t.spec.content && { content: t.spec.content }),
  ...(t.spec.marks !== undefined && { marks: t.spec.marks }),
  ...(t.spec.excludes && { excludes: t.spec.excludes }),
  ...(t.spec.group && { group: t.spec.group }),
  ...(t.spec.inline && { inline: true }),
  ...(Object.keys(t.attrs).length > 0 && { attrs: attrs(t.attrs) })
}))

const answers = {
  schema: () => ({ nodes: kinds(starterKit.nodes), marks: kinds(starterKit.marks) }),

  // The update that y-tiptap makes of a note, and the note as getJSON says it.
  build ({ doc, client }) {
    const ydoc = new Y.Doc()
    ydoc.clientID = client
    prosemirrorJSONToYXmlFragment(schema, doc, ydoc.getXmlFragment('default'))
    return { update: b64(Y.encodeStateAsUpdate(ydoc)), json: schema.nodeFromJSON(doc).toJSON() }
  },

  // The updates that y-tiptap makes when people, one after the other, make a note
  // what doc says.
  edits ({ edits }) {
    const log = []
    for (const { client, doc } of edits) {
      const ydoc = new Y.Doc()
      ydoc.clientID = client
      log.forEach(u => Y.applyUpdate(ydoc, bytes(u)))
      const f = ydoc.getXmlFragment('default')
      const { meta } = initProseMirrorDoc(f, schema)
      ydoc.on('update', u => log.push(b64(u)))
      ydoc.transact(() => updateYFragment(ydoc, f, schema.nodeFromJSON(doc), meta))
    }
    return { log }
  },

  // What y-tiptap reads from a note: as it lies there, and as the schema has it.
  read ({ update, raw: only }) {
    const ydoc = new Y.Doc()
    Y.applyUpdate(ydoc, bytes(update))
    const f = ydoc.getXmlFragment('default')
    const raw = yXmlFragmentToProsemirrorJSON(f)
    return { raw, json: only ? null : yXmlFragmentToProseMirrorRootNode(f, schema).toJSON() }
  }
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
