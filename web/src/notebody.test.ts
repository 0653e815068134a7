import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import { getSchema } from '@tiptap/core'
import { DOMSerializer, type Mark, type Node } from '@tiptap/pm/model'

import note from '../testdata/notebody/tables.json'
import { schemaExtensions } from './extensions.ts'

// What editor.getHTML() says of a note, without a document: its serializer's specs as text.
const schema = getSchema(schemaExtensions)
const ofNode = DOMSerializer.nodesFromSchema(schema)
const ofMark = DOMSerializer.marksFromSchema(schema)

const escape = (s: string) => s.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&#34;')

function html(spec: unknown, within: string): string {
  if (spec === 0) return within
  if (typeof spec === 'string') return escape(spec)
  const [tag, ...rest] = spec as [string, ...unknown[]]
  const attrs = typeof rest[0] === 'object' && !Array.isArray(rest[0]) ? (rest.shift() as Record<string, unknown>) : {}
  const text = Object.entries(attrs).flatMap(([name, v]) => (v == null ? [] : [` ${name}="${escape(String(v))}"`]))
  return `<${tag}${text.join('')}>${rest.map(c => html(c, within)).join('')}</${tag}>`
}

// Neighbours of one mark stand in one element.
function inline(nodes: readonly Node[], depth = 0): string {
  let out = ''
  for (let i = 0; i < nodes.length; ) {
    const mark: Mark | undefined = nodes[i].marks[depth]
    let k = i + 1
    while (mark && nodes[k]?.marks[depth]?.eq(mark)) k++
    out += mark ? html(ofMark[mark.type.name](mark, true), inline(nodes.slice(i, k), depth + 1)) : block(nodes[i])
    i = k
  }
  return out
}

function block(node: Node): string {
  if (node.isText) return escape(node.text ?? '')
  return html(ofNode[node.type.name](node), inline(node.children))
}

// Pages let tables be scrolled by keys, and the editor has boxes that the caret keeps out of; else they are one.
function plain(text: string): string {
  return text
    .trim()
    .replace(/<br\/?>|<\/input>/g, '')
    .replace(/<(\w+)((?: [\w-]+(?:="[^"]*")?)+)\/?>/g, (_, tag: string, attrs: string) => {
      const list = attrs.match(/[\w-]+(="[^"]*")?/g) ?? []
      const own = list.map(a => a.replace('=""', '')).filter(a => !/^(role|tabindex|contenteditable)\b/.test(a) && a !== 'aria-label="Table"')
      return `<${[tag, ...own.sort()].join(' ')}>`
    })
}

test('the editor shows tables, tasks, mentions and suggestions as pages do', () => {
  const doc = schema.nodeFromJSON(note)
  doc.check()
  const page = readFileSync('../testdata/notebody/tables.html', 'utf8') // from web/build
  assert.equal(plain(doc.children.map(block).join('')), plain(page))
})
