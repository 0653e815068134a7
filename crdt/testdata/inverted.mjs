import * as Y from 'yjs'

// Two people write a text. Then somebody inserts an element whose right origin stands before its origin, or is it, and both are
// of the first of them: for each such pair, does every replica have it in the same place? They know only what it takes, or all of
// the text; and have cut that nowhere, where the right origin begins, or everywhere.
//
// Each line is a text, and of each pair the clocks of origin and right origin, and whether replicas differ.
//
//	node inverted.mjs SEEDS

const ORIGIN = 1, OTHER = 2, INVERTED = 9

const write = seed => {
  let state = seed + 1
  const int = n => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor(state / 2 ** 32 * n)
  }
  const updates = []
  const people = [ORIGIN, OTHER].map(id => {
    const doc = new Y.Doc()
    doc.clientID = id
    doc.on('update', (u, _origin, _doc, tr) => { if (tr.local) updates.push({ u, id, end: tr.afterState.get(id) ?? 0 }) })
    return doc
  })
  for (let k = 0; k < 14; k++) {
    const doc = people[Number(int(3) === 0)]
    const text = doc.getText('t')
    const at = int(2) ? text.length : int(text.length + 1)
    switch (int(6)) {
      case 0:
        text.delete(at, Math.min(int(3), text.length - at))
        break
      case 1:
        for (const other of people) Y.applyUpdate(doc, Y.encodeStateAsUpdate(other))
        break
      default:
        text.insert(at, 'abcdef'.slice(0, 1 + int(3)))
    }
  }
  return updates
}

const elements = doc => {
  const ids = []
  for (let item = doc.getText('t')._start; item; item = item.right) {
    for (let k = 0; k < item.length; k++) ids.push(`${item.id.client}-${item.id.clock + k}`)
  }
  return ids.join(' ')
}

for (let seed = 0; seed < Number(process.argv[2]); seed++) {
  const updates = write(seed)
  const all = new Y.Doc()
  for (const { u } of updates) Y.applyUpdate(all, u)
  const n = Y.getState(all.store, ORIGIN)
  const pairs = []
  for (let origin = 0; origin < n; origin++) {
    for (let right = 0; right <= origin; right++) {
      const x = new Uint8Array([1, 1, INVERTED, 0, 0xc4, ORIGIN, origin, ORIGIN, right, 1, 120, 0])
      const enough = updates.findIndex(({ id, end }) => id === ORIGIN && end > origin) + 1
      const places = new Set()
      for (const known of [enough, updates.length]) {
        for (const clocks of [[], [right], Array(n).keys()]) {
          const doc = new Y.Doc()
          for (const { u } of updates.slice(0, known)) Y.applyUpdate(doc, u)
          doc.transact(tr => {
            for (const clock of clocks) if (clock < Y.getState(doc.store, ORIGIN)) Y.getItemCleanStart(tr, Y.createID(ORIGIN, clock))
            Y.applyUpdate(doc, x)
          })
          for (const { u } of updates) Y.applyUpdate(doc, u)
          places.add(elements(doc))
        }
      }
      pairs.push([origin, right, Number(places.size > 1)])
    }
  }
  console.log(JSON.stringify({ text: Buffer.from(Y.encodeStateAsUpdate(all)).toString('base64'), pairs }))
}
