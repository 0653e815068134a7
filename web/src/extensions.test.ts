import assert from 'node:assert/strict'
import { test } from 'node:test'

import { getSchema } from '@tiptap/core'

import committed from '../../crdt/prose/schemas/2.json'
import { schemaExtensions } from './extensions.ts'

interface Kind {
  name: string
  content?: string
  group?: string
  inline?: boolean
  marks?: string
  excludes?: string
  attrs?: { name: string; default: unknown }[]
}

// kind writes a node or mark type of ProseMirror as the schema's file does: in the
// schema's order, leaving out what is not set.
function kind(name: string, spec: Record<string, unknown>): Kind {
  const k: Kind = { name }
  for (const key of ['content', 'marks', 'group', 'inline', 'excludes'] as const) {
    if (spec[key]) Object.assign(k, { [key]: spec[key] })
    else if ((key === 'marks' || key === 'excludes') && spec[key] === '') k[key] = ''
  }
  const attrs = Object.entries((spec.attrs ?? {}) as Record<string, { default: unknown }>)
  if (attrs.length > 0) k.attrs = attrs.map(([name, a]) => ({ name, default: a.default ?? null }))
  return k
}

test('the editor has the schema that the server renders by', () => {
  const schema = getSchema(schemaExtensions)
  const nodes = Object.values(schema.nodes).map(n => kind(n.name, n.spec as Record<string, unknown>))
  const marks = Object.values(schema.marks).map(m => kind(m.name, m.spec as Record<string, unknown>))
  assert.deepEqual({ nodes, marks }, { nodes: committed.nodes, marks: committed.marks })
})
