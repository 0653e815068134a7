// Someone who keeps typing, whatever happens to the connection, and keeps a ledger: for each word
// whether the server acknowledged it, and whether it acknowledged its deletion.

import * as Y from 'yjs'
import { paragraphText, plain } from './note.mjs'

/** A small seeded generator, so that a failing run can be repeated. */
export function mulberry32 (seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

export class Typist {
  constructor (client, { name, everyMs, seed }) {
    this.client = client
    this.name = name
    this.random = mulberry32(seed)
    this.words = [] // {word, from, to, deletion: null or a range that Acks keeps}
    this.lost = [] // acknowledged words that vanished from our own copy
    this.timer = setInterval(() => this.stroke(), everyMs)
  }

  stop () { clearInterval(this.timer) }

  acked (w) { return w.to <= this.client.acks.clock }

  unacked () { return this.words.reduce((n, w) => n + !this.acked(w), 0) }

  progress () { return this.words.reduce((n, w) => n + this.acked(w) + (w.deletion?.acked ?? false), 0) }

  stroke () {
    const text = paragraphText(this.client.doc)
    if (text === null) return
    const deletable = this.words.filter(w => w.deletion === null && this.acked(w))
    if (deletable.length > 0 && this.random() < 0.125) {
      this.erase(text, deletable[Math.floor(this.random() * deletable.length)])
    } else {
      this.write(text)
    }
    this.client.changed()
  }

  /** Writes one word where some word ends, so that no word is ever split. */
  write (text) {
    const { doc } = this.client
    const string = plain(text)
    const ends = [0]
    for (let i = string.indexOf(';'); i >= 0; i = string.indexOf(';', i + 1)) ends.push(i + 1)
    // Every fifth word has a character outside the BMP: UTF-16 lengths must hold too.
    const word = `${this.name}${this.words.length}${this.words.length % 5 === 0 ? '🩺' : ''};`
    const from = Y.getState(doc.store, doc.clientID)
    text.insert(ends[Math.floor(this.random() * ends.length)], word)
    this.words.push({ word, from, to: Y.getState(doc.store, doc.clientID), deletion: null })
  }

  erase (text, w) {
    const at = wordIndex(plain(text), w.word)
    if (at < 0) {
      this.lost.push(w.word)
      w.deletion = { acked: false }
      return
    }
    const { doc, acks } = this.client
    w.deletion = acks.expectDelete(doc.clientID, w.from, w.to)
    text.delete(at, w.word.length)
  }

  ledger () {
    return {
      lost: this.lost,
      words: this.words.map(w => ({
        word: w.word,
        acked: this.acked(w),
        deleted: w.deletion !== null,
        deletionAcked: w.deletion?.acked ?? false
      }))
    }
  }
}

/** Where the word stands as a whole word: "a1;" is not in "a11;" nor in "ba1;". */
function wordIndex (string, word) {
  if (string.startsWith(word)) return 0
  const at = string.indexOf(';' + word)
  return at < 0 ? -1 : at + 1
}
