// Replays a recorded two-person editing history through two live clients, with the history's own
// interleaving: each edit is made on exactly the edits its author had seen when it was recorded.
//
// Nobody may see an edit too early either, or positions would be wrong. So each client's outgoing
// frames are held back, as a slow network would, and let go as soon as the other's next recorded
// edit builds on them. What has arrived is decided by the receiver's document alone.

import fs from 'node:fs'
import zlib from 'node:zlib'
import * as Y from 'yjs'
import { paragraphText, plain, utf16Index } from './note.mjs'

export function readTrace (path) {
  const bytes = fs.readFileSync(path)
  const trace = JSON.parse(path.endsWith('.gz') ? zlib.gunzipSync(bytes) : bytes)
  if (trace.kind !== 'concurrent' || trace.numAgents !== 2) throw new Error('not a two-person trace')
  return trace
}

/**
 * How many edits of each agent an edit builds on, from its parents. Throws when an agent's edits are
 * not a single line of work, or forget what they knew: no pair of live clients could replay that.
 */
export function knowledge (txns) {
  const made = [0, 0]
  const known = [[0, 0], [0, 0]]
  const versions = []
  txns.forEach(({ parents, agent }, i) => {
    const v = [0, 0]
    for (const p of parents) for (const k of [0, 1]) v[k] = Math.max(v[k], versions[p][k])
    if (v[agent] !== made[agent]) throw new Error(`edit ${i} does not follow its author's last edit`)
    if (v[1 - agent] < known[agent][1 - agent]) throw new Error(`edit ${i} forgets what its author knew`)
    known[agent] = v
    versions.push(v.with(agent, ++made[agent]))
  })
  return versions
}

const hasArrived = (doc, { client, clock, deletes }) =>
  Y.getState(doc.store, client) >= clock && deletes.every(d => isDeleted(doc, d))

function isDeleted (doc, { client, clock, len }) {
  const structs = doc.store.clients.get(client)
  if (structs === undefined || Y.getState(doc.store, client) < clock + len) return false
  for (let i = Y.findIndexSS(structs, clock); i < structs.length && structs[i].id.clock < clock + len; i++) {
    if (!structs[i].deleted) return false
  }
  return true
}

/** Applies one recorded edit and returns what tells that it has arrived elsewhere. */
function applyEdit (client, patches, astral) {
  const { doc } = client
  const text = paragraphText(doc)
  const deletes = []
  doc.transact(tr => {
    for (const [pos, del, ins] of patches) {
      const string = astral ? plain(text) : ''
      const from = astral ? utf16Index(string, pos) : pos
      const to = astral ? utf16Index(string, pos + del) : pos + del
      if (to > from) text.delete(from, to - from)
      if (ins) text.insert(from, ins)
    }
    for (const [id, ranges] of tr.deleteSet.clients) {
      for (const { clock, len } of ranges) deletes.push({ client: id, clock, len })
    }
  })
  return { client: doc.clientID, clock: Y.getState(doc.store, doc.clientID), deletes }
}

export async function replay (clients, path, ms) {
  const { txns, endContent } = readTrace(path)
  const versions = knowledge(txns)
  const astral = txns.some(t => t.patches.some(p => /[\u{10000}-\u{10ffff}]/u.test(p[2])))
  const made = [[], []] // per agent: {arrival, frames}: what each edit is, and its frames so far
  const released = [0, 0]
  const arrived = [0, 0] // how many of the other's edits each agent has
  // The edits still to come, per agent, as what they need from the other.
  const needs = [0, 1].map(a => txns.flatMap((t, i) => t.agent === a ? [versions[i][1 - a]] : []))
  const next = [0, 0]
  let exchanges = 0
  clients.forEach(c => c.hold())

  // Lets out every frame of `a` that the other's next edit builds on.
  const flow = a => {
    const o = 1 - a
    const need = next[o] < needs[o].length ? needs[o][next[o]] : Infinity
    const upto = Math.min(need, made[a].length)
    if (upto === 0) return
    clients[a].release(made[a][upto - 1].frames - released[a])
    released[a] = Math.max(released[a], made[a][upto - 1].frames)
  }
  const frames = [0, 0]
  try {
    for (const [i, { agent, patches }] of txns.entries()) {
      const other = 1 - agent
      const need = versions[i][other]
      flow(other)
      if (need > arrived[agent]) {
        const waited = made[other].slice(arrived[agent], need).map(m => m.arrival)
        await clients[agent].until(`edit ${i} of the trace waits for its parents`,
          () => waited.every(w => hasArrived(clients[agent].doc, w)), ms)
        arrived[agent] = need
        exchanges++
      }
      const before = clients[agent].held.length
      const arrival = applyEdit(clients[agent], patches, astral)
      frames[agent] += clients[agent].held.length - before
      made[agent].push({ arrival, frames: frames[agent] })
      next[agent]++
      flow(agent)
      if (i % 64 === 0) await new Promise(resolve => setImmediate(resolve))
    }
  } finally {
    clients.forEach(c => c.unhold())
  }
  for (const c of clients) {
    await c.until('the end of the trace', () => c.text() === endContent && c.unsynced() === 0, ms)
  }
  return { edits: txns.length, exchanges, length: endContent.length }
}
