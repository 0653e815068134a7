// Hosts Yjs clients for the Go tests: one JSON command a line on stdin, one JSON answer a line on
// stdout. {"id":1,"client":"chen","cmd":"insert","args":{…}} → {"id":1,"ok":…} or {"id":1,"error":"…"}.

import readline from 'node:readline'
import { isDeepStrictEqual } from 'node:util'
import * as Y from 'yjs'
import { attacks } from './attacks.mjs'
import { Client } from './client.mjs'
import { appendParagraph, appendTask, fresh, paragraphText } from './note.mjs'
import { replay } from './replay.mjs'
import { Typist } from './typist.mjs'

const clients = new Map()
const bytes = s => new Uint8Array(Buffer.from(s, 'base64'))
const base64 = b => Buffer.from(b).toString('base64')

function clientNamed (name) {
  const client = clients.get(name)
  if (!client) throw new Error(`no client ${name}`)
  return client
}

/** Conditions of a wait, each a function of the client and the wanted value. */
const conditions = {
  synced: (c, want) => c.provider.synced === want,
  text: (c, want) => c.text() === want,
  contains: (c, want) => [].concat(want).every(w => c.text().includes(w)),
  unsynced: (c, want) => c.unsynced() === want,
  blocks: (c, want) => c.doc.getXmlFragment('default').length === want,
  opens: (c, want) => c.stats.opens >= want,
  closes: (c, want) => c.stats.closes.length >= want,
  closedWith: (c, want) => c.stats.closes.some(({ code }) => code === want),
  denied: (c, want) => (c.stats.denied.length > 0) === want,
  gaveUp: (c, want) => c.stats.gaveUp === want,
  scope: (c, want) => c.provider.authorizedScope === want,
  peers: (c, want) => [].concat(want).every(name => c.presence().some(p => p.state.user?.name === name)),
  nobody: (c, want) => c.presence().every(p => p.state.user?.name !== want),
  cursor: (c, want) => isDeepStrictEqual(c.provider.awareness.getStates().get(want.client)?.cursor, want.cursor),
  unackedWords: (c, want) => (c.typist?.unacked() ?? 0) >= want,
  progress: (c, want) => (c.typist?.progress() ?? 0) >= want
}

const commands = {
  connect: (name, args) => {
    if (clients.has(name)) throw new Error(`client ${name} exists`)
    clients.set(name, new Client(args))
  },
  wait: async (name, { want, ms }) => {
    const c = clientNamed(name)
    const met = () => Object.entries(want).every(([k, v]) => conditions[k](c, v))
    await c.until(`${name} waits for ${JSON.stringify(want)}`, met, ms)
  },
  // The whole span passes without the text: an event that must not come, with a deadline.
  never: async (name, { contains, ms }) => {
    const c = clientNamed(name)
    const seen = await c.until('', () => c.text().includes(contains), ms).catch(() => false)
    if (seen) throw new Error(`${name} saw ${JSON.stringify(contains)}`)
  },
  fresh: name => fresh(clientNamed(name).doc),
  append: (name, { text }) => appendParagraph(clientNamed(name).doc, text),
  task: (name, { text, attributes }) => appendTask(clientNamed(name).doc, text, attributes),
  insert: (name, { pos, text, paragraph }) => {
    const t = paragraphText(clientNamed(name).doc, paragraph)
    t.insert(pos < 0 ? t.length : pos, text)
  },
  delete: (name, { pos, len, paragraph }) => paragraphText(clientNamed(name).doc, paragraph).delete(pos, len),
  deleteBlock: (name, { index }) => clientNamed(name).doc.getXmlFragment('default').delete(index, 1),
  setAwareness: (name, { field, value }) => clientNamed(name).provider.awareness.setLocalStateField(field, value),
  mute: name => clientNamed(name).provider.awareness.setLocalState(null),
  setCursor: (name, { pos, paragraph }) => {
    const at = Y.createRelativePositionFromTypeIndex(paragraphText(clientNamed(name).doc, paragraph), pos)
    const json = JSON.parse(JSON.stringify(at))
    const cursor = { anchor: json, head: json }
    clientNamed(name).provider.awareness.setLocalStateField('cursor', cursor)
    return cursor
  },
  attack: (name, { attack, ...args }) => {
    const client = clientNamed(name)
    for (const message of attacks[attack](client, args)) client.inject(message)
  },
  presence: name => clientNamed(name).presence(),
  state: name => clientNamed(name).state(),
  stats: name => ({ ...clientNamed(name).describe(), refused: clientNamed(name).acks.refused, surplus: clientNamed(name).acks.surplus }),
  leave: name => clientNamed(name).leave(),
  comeBack: name => clientNamed(name).comeBack(),
  type: (name, args) => { clientNamed(name).typist = new Typist(clientNamed(name), { name, ...args }) },
  stopTyping: name => clientNamed(name).typist.stop(),
  ledger: name => clientNamed(name).typist.ledger(),
  replay: (_, { clients: names, path, ms }) => replay(names.map(clientNamed), path, ms),
  close: name => {
    clientNamed(name).close()
    clients.delete(name)
  },
  // Updates made without a connection, for the tests that send bytes of their own.
  makeUpdate: (_, { text, base, clientID, skipFirst }) => {
    const doc = new Y.Doc()
    if (base) Y.applyUpdate(doc, bytes(base))
    if (clientID) doc.clientID = clientID // Yjs would leave an id that the base has
    const updates = []
    doc.on('update', u => updates.push(u))
    if (skipFirst) appendParagraph(doc, 'unsent')
    appendParagraph(doc, text)
    return base64(updates.at(-1))
  },
  readUpdate: (_, { update }) => {
    const doc = new Y.Doc()
    Y.applyUpdate(doc, bytes(update))
    return {
      xml: doc.getXmlFragment('default').toString(),
      sv: base64(Y.encodeStateVector(doc)),
      pending: doc.store.pendingStructs !== null
    }
  }
}

async function answer ({ id, client, cmd, args = {} }) {
  try {
    if (!commands[cmd]) throw new Error(`no command ${cmd}`)
    const ok = await commands[cmd](client, args)
    process.stdout.write(JSON.stringify({ id, ok: ok ?? null }) + '\n')
  } catch (err) {
    process.stdout.write(JSON.stringify({ id, error: err.stack ?? String(err) }) + '\n')
  }
}

process.setMaxListeners(0)
console.log = console.info = console.warn = console.error // stdout carries answers only
const lines = readline.createInterface({ input: process.stdin })
lines.on('line', line => answer(JSON.parse(line)))
lines.on('close', () => process.exit(0))
