// A note's content is the XmlFragment `default`. These helpers edit one paragraph's XmlText in it.

import * as Y from 'yjs'

export const fragment = doc => doc.getXmlFragment('default')

export const blocks = doc => fragment(doc).toArray()

/** The text below a node, without markup. */
export function plain (node) {
  if (node instanceof Y.XmlText) return Y.Text.prototype.toString.call(node)
  return node.toArray().map(plain).join('')
}

/** Replaces whatever the note holds by one empty paragraph, as one edit. */
export function fresh (doc) {
  doc.transact(() => {
    const root = fragment(doc)
    root.delete(0, root.length)
    const p = new Y.XmlElement('paragraph')
    p.insert(0, [new Y.XmlText()])
    root.insert(0, [p])
  })
}

/** Adds a paragraph with the given text at the end of the note. */
export function appendParagraph (doc, text) {
  doc.transact(() => {
    const p = new Y.XmlElement('paragraph')
    p.insert(0, [new Y.XmlText(text)])
    fragment(doc).push([p])
  })
}

/** Adds a list with a task of somebody's at the end of the note. */
export function appendTask (doc, text, attributes) {
  doc.transact(() => {
    const [list, item, p] = ['taskList', 'taskItem', 'paragraph'].map(name => new Y.XmlElement(name))
    for (const [name, value] of Object.entries({ checked: false, ...attributes })) item.setAttribute(name, value)
    p.insert(0, [new Y.XmlText(text)])
    item.insert(0, [p])
    list.insert(0, [item])
    fragment(doc).push([list])
  })
}

/** The XmlText of the paragraph at index, or null while it has not arrived. */
export function paragraphText (doc, index = 0) {
  const block = blocks(doc)[index]
  const text = block instanceof Y.XmlElement ? block.toArray()[0] : null
  return text instanceof Y.XmlText ? text : null
}

/** Turns a code point index into Yjs's UTF-16 index. */
export function utf16Index (string, codePoints) {
  let i = 0
  for (let n = 0; n < codePoints; n++) i += string.codePointAt(i) > 0xffff ? 2 : 1
  return i
}
