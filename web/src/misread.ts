// Abbreviations and notations of doses that are easily misread: the same table as the server's (server/misread), found in the same way.

import table from '../../server/misread/rules.json'

interface Rule {
  find: string
  to: string[]
  why: string
  glued?: string
  notAfter?: string
  notBefore?: string[]
}

/** A notation in a text. */
export interface Place {
  from: number
  to: number
  /** Where what says that it is one ends: the dose beside it. */
  ends: number
  /** What may be written, the likeliest first. A space that begins it is for where there is none. */
  instead: string[]
  why: string
}

const rules = (table as Rule[]).map(rule => ({ ...rule, pattern: new RegExp(rule.find, 'dgu') }))

const WORDY = /^[\p{L}\p{N}]$/u

/** What of a text is easily misread, in its order. */
export function misread(text: string): Place[] {
  const all: Place[] = []
  for (const rule of rules) {
    const { pattern } = rule
    pattern.lastIndex = 0
    for (let m = pattern.exec(text); m; m = pattern.exec(text)) {
      const ends = m.index + m[0].length
      if (!alone(rule, text, m.index, ends)) {
        pattern.lastIndex = m.index + (text.codePointAt(m.index)! > 0xffff ? 2 : 1)
        continue
      }
      const [from, to] = m.indices?.[1] ?? [m.index, ends]
      const instead = rule.to.map(says => says.replace(/\$(\d)/g, (_, g: string) => m![Number(g)]))
      all.push({ from, to, ends, instead, why: rule.why })
      pattern.lastIndex = to
    }
  }
  let end = 0
  return all
    .sort((a, b) => a.from - b.from)
    .filter(p => {
      if (p.from < end) return false // within another
      end = p.to
      return true
    })
}

// Whether what stands beside a match lets it be one.
function alone({ glued = '', notAfter = '', notBefore = [] }: Rule, text: string, from: number, to: number): boolean {
  const before = [...text.slice(Math.max(0, from - 2), from)].at(-1) ?? ''
  const after = to < text.length ? String.fromCodePoint(text.codePointAt(to)!) : ''
  if (glued === '' && (WORDY.test(before) || (/^[.,]$/.test(before) && /\d/.test(text[from])))) return false
  if (glued !== 'both' && WORDY.test(after)) return false
  if (before !== '' && notAfter.includes(before)) return false
  return !notBefore.some(s => text.startsWith(s, to))
}
