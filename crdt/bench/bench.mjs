// Runs the workloads of main.go in yjs or ywasm and prints one JSON object per
// line: the name of a workload and the median of its times in ms of processor time
// (or bytes).
//
//   node --expose-gc bench.mjs yjs|ywasm TRACE OUT quick|full [ONLY]
//
// yjs runs first: the updates and states it writes to OUT are what the others
// are given. ONLY is a regular expression of the workloads to run.
import * as fs from 'node:fs'
import * as path from 'node:path'
import * as zlib from 'node:zlib'

const [engine, tracePath, out, size, only] = process.argv.slice(2)
const quick = size === 'quick'
const file = name => path.join(out, name)
// report runs f, unless that was not asked for, and prints what it measured.
const report = (name, f) => {
  if (!new RegExp(only ?? '').test(name)) return
  process.stderr.write(`${engine}: ${name}\n`)
  globalThis.gc() // what others left is not this one's
  process.stdout.write(JSON.stringify({ name, value: f() }) + '\n')
}

const mulberry32 = a => () => {
  a = (a + 0x6D2B79F5) | 0
  let t = Math.imul(a ^ (a >>> 15), 1 | a)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}

const median = (reps, f) => {
  const times = []
  for (let k = 0; k < reps; k++) times.push(f())
  return times.sort((a, b) => a - b)[reps >> 1]
}
// Processor time, all threads: others may be using the machine.
const spent = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000 }
const timed = f => { const t = spent(); f(); return spent() - t }

const split = b => {
  const us = []
  for (let i = 0; i < b.length;) { const n = b.readUInt32LE(i); us.push(new Uint8Array(b.subarray(i + 4, i + 4 + n))); i += 4 + n }
  return us
}
const join = us => Buffer.concat(us.flatMap(u => { const n = Buffer.alloc(4); n.writeUInt32LE(u.length); return [n, Buffer.from(u)] }))

const trace = JSON.parse(zlib.gunzipSync(fs.readFileSync(tracePath)))
const patches = trace.txns.flatMap(t => t.patches)
const N = 6000

// api hides what differs between the two.
const apis = {
  yjs: async () => {
    const Y = await import('yjs')
    return {
      Y,
      doc: id => { const d = new Y.Doc(); d.clientID = id; return d },
      text: d => d.getText('t'),
      array: d => d.getArray('a'),
      map: d => d.getMap('m'),
      onUpdate: (d, f) => d.on('update', f),
      apply: Y.applyUpdate,
      applyV2: Y.applyUpdateV2,
      state: d => Y.encodeStateAsUpdate(d),
      stateV2: d => Y.encodeStateAsUpdateV2(d),
      insert: (t, i, s) => t.insert(i, s),
      remove: (t, i, n) => t.delete(i, n),
      values: (t, i, v) => t.insert(i, v),
      free: () => {}
    }
  },
  ywasm: async () => {
    const { createRequire } = await import('node:module')
    const Y = createRequire(import.meta.url)('ywasm')
    return {
      Y,
      doc: id => new Y.YDoc({ clientID: id }),
      text: d => d.getText('t'),
      array: d => d.getArray('a'),
      map: d => d.getMap('m'),
      onUpdate: (d, f) => d.onUpdate(f),
      apply: (d, u) => Y.applyUpdate(d, u),
      applyV2: (d, u) => Y.applyUpdateV2(d, u),
      state: d => Y.encodeStateAsUpdate(d),
      stateV2: d => Y.encodeStateAsUpdateV2(d),
      insert: (t, i, s) => t.insert(i, s),
      remove: (t, i, n) => t.delete(i, n),
      values: (t, i, v) => t.insert(i, v),
      free: d => d.free()
    }
  }
}
const api = await apis[engine]()

// local makes the trace's edits by index, an update each.
const local = (patches, keep) => {
  const d = api.doc(1)
  const t = api.text(d)
  let last
  api.onUpdate(d, keep ?? (u => { last = u }))
  const ms = timed(() => {
    for (const [at, del, ins] of patches) {
      if (del) api.remove(t, at, del)
      if (ins) api.insert(t, at, ins)
    }
  })
  return { ms, d, t, last }
}

if (engine === 'yjs') {
  const us = []
  const { d, t } = local(patches, u => us.push(u))
  if (t.toString() !== trace.endContent) throw new Error('the replayed text is not the trace\'s')
  fs.writeFileSync(file('updates'), join(us))
  fs.writeFileSync(file('state1'), api.state(d))
  fs.writeFileSync(file('state2'), api.stateV2(d))
  report('local', () => median(quick ? 1 : 3, () => local(patches).ms))
}
const some = patches.slice(0, 20_000)
report('local20k', () => median(3, () => { const { ms, d } = local(some); api.free(d); return ms }))

const us = split(fs.readFileSync(file('updates')))
report('apply', () => median(quick ? 1 : 3, () => {
  const d = api.doc(2)
  api.text(d)
  const ms = timed(() => { for (const u of us) api.apply(d, u) })
  api.free(d)
  return ms
}))
for (const [name, apply] of [['1', api.apply], ['2', api.applyV2]]) {
  const state = new Uint8Array(fs.readFileSync(file('state' + name)))
  report('load' + name, () => median(15, () => {
    const d = api.doc(2)
    const t = api.text(d)
    const ms = timed(() => { apply(d, state); t.toString() })
    api.free(d)
    return ms
  }))
}
if (engine === 'yjs') {
  const { Y } = api
  report('merge10k', () => median(1, () => timed(() => Y.mergeUpdates(us.slice(0, 10_000)))))
  const state = new Uint8Array(fs.readFileSync(file('state1')))
  const half = new Map([[1, Math.floor(Y.decodeStateVector(Y.encodeStateVectorFromUpdate(state)).get(1) / 2)]])
  const sv = Y.encodeStateVector(half)
  report('diff', () => median(15, () => timed(() => Y.diffUpdate(state, sv))))
  report('heap', () => {
    const docs = []
    globalThis.gc()
    const before = process.memoryUsage().heapUsed
    for (let k = 0; k < 10; k++) { const d = api.doc(2); api.text(d); api.apply(d, state); docs.push(d) }
    globalThis.gc()
    return (process.memoryUsage().heapUsed - before) / docs.length
  })
}

// The shapes of dmonad/crdt-benchmarks: one side edits, the other applies each
// update.
const shape = (name, edits) => report(name, () => median(3, () => {
  const a = api.doc(1)
  const b = api.doc(2)
  const to = { text: api.text(b), array: api.array(b) }
  api.onUpdate(a, u => api.apply(b, u))
  const ms = timed(() => edits({ text: api.text(a), array: api.array(a) }, mulberry32(1)))
  void to
  api.free(a)
  api.free(b)
  return ms
}))
const int = (r, n) => Math.floor(r() * n)
const letters = (r, n) => { let s = ''; for (let k = 0; k < n; k++) s += String.fromCharCode(97 + int(r, 26)); return s }
shape('B1.1 append', ({ text }, r) => { for (let i = 0; i < N; i++) api.insert(text, i, letters(r, 1)) })
shape('B1.3 prepend', ({ text }, r) => { for (let i = 0; i < N; i++) api.insert(text, 0, letters(r, 1)) })
shape('B1.4 random', ({ text }, r) => { for (let i = 0; i < N; i++) api.insert(text, int(r, i + 1), letters(r, 1)) })
shape('B1.5 words', ({ text }, r) => { for (let i = 0, n = 0; i < N; i++) { const s = letters(r, 2 + int(r, 9)); api.insert(text, int(r, n + 1), s); n += s.length } })
shape('B1.7 mixed', ({ text }, r) => {
  for (let i = 0, n = 0; i < N; i++) {
    const at = int(r, n + 1)
    if (n === at || r() < 0.5) { const s = letters(r, 2 + int(r, 9)); api.insert(text, at, s); n += s.length } else { const k = Math.min(n - at, 1 + int(r, 9)); api.remove(text, at, k); n -= k }
  }
})
shape('B1.8 numbers', ({ array }, r) => { for (let i = 0; i < N; i++) api.values(array, i, [int(r, 1e6)]) })
shape('B1.10 prepend', ({ array }, r) => { for (let i = 0; i < N; i++) api.values(array, 0, [int(r, 1e6)]) })
shape('B1.11 random', ({ array }, r) => { for (let i = 0; i < N; i++) api.values(array, int(r, i + 1), [int(r, 1e6)]) })

// Two people edit at once, then exchange everything.
report('B2.3 two words', () => median(3, () => {
  const [a, b] = [api.doc(1), api.doc(2)]
  const r = mulberry32(2)
  const base = letters(r, 100)
  const t = [api.text(a), api.text(b)]
  api.insert(t[0], 0, base)
  api.apply(b, api.state(a))
  for (const x of t) for (let i = 0, n = 100; i < N; i++) { const s = letters(r, 2 + int(r, 9)); api.insert(x, int(r, n + 1), s); n += s.length }
  const [ua, ub] = [api.state(a), api.state(b)]
  const ms = timed(() => { api.apply(a, ub); api.apply(b, ua) })
  api.free(a)
  api.free(b)
  return ms
}))

// Many people set one key, or insert at one place, without seeing each other.
const crowd = f => (n, key) => {
  const r = mulberry32(3)
  return Array.from({ length: n }, (_, i) => { const d = api.doc(i + 10); f(d, i, r); const u = api.state(d); api.free(d); return u })
}
const sets = crowd((d, i) => api.map(d).set('v', i))
const inserts = crowd((d, i) => api.insert(api.text(d), 0, 'x'))
const gather = (us, r) => {
  const order = us.map((u, i) => [r(), u]).sort((a, b) => a[0] - b[0])
  const d = api.doc(1)
  const t = api.text(d)
  const ms = timed(() => { for (const [, u] of order) api.apply(d, u); t.toString() })
  api.free(d)
  return ms
}
report('B3.1 map sets', () => {
  const many = sets(Math.floor(Math.sqrt(N) * 20))
  return median(3, () => gather(many, mulberry32(4)))
})
for (const n of quick || engine === 'ywasm' ? [5000] : [5000, 10_000, 20_000]) {
  report('storm ' + n, () => {
    const us = inserts(n)
    return median(1, () => gather(us, mulberry32(5)))
  })
}
