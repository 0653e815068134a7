// People, and their carets in the text. Names and colours come from
// the server, which stamps them on each presence state; what a browser says
// of itself is never shown.

import type { Awareness } from 'y-protocols/awareness'

import { say } from './say.ts'

/** A person as the server stamps it. */
export interface Person {
  id: string
  name: string
  /** 0 to 7; undefined if the server gave none. */
  index?: number
  /** #rrggbb; undefined if it is anything else. */
  color?: string
}

/** Reads a stamped person from an awareness state, trusting nothing. */
export function person(user: unknown): Person | undefined {
  if (typeof user !== 'object' || user === null) return undefined
  const { id, name, color, colorIndex } = user as Record<string, unknown>
  if (typeof name !== 'string' || name === '') return undefined
  const p: Person = { id: typeof id === 'string' ? id : name, name: name.slice(0, 80) }
  if (Number.isInteger(colorIndex) && (colorIndex as number) >= 0 && (colorIndex as number) <= 7) {
    p.index = colorIndex as number
  }
  if (typeof color === 'string' && /^#[0-9a-fA-F]{6}$/.test(color)) p.color = color
  return p
}

/** First letters of the first and the last word that has letters. */
export function initials(name: string): string {
  const words = name.split(/\s+/).filter(w => /^\p{L}/u.test(w) && !/^(Dr|Mr|Mrs|Ms|Mx|Prof|RN|NP|MD|PA|PharmD)\.?$/.test(w))
  const pick = words.length > 1 ? [words[0], words[words.length - 1]] : words
  return pick.map(w => [...w][0].toUpperCase()).join('')
}

// paint colours an element: one of our eight colours by class, which has enough
// contrast in light and dark, else the server's colour through the CSSOM, since
// the policy allows no style attribute.
export function paint(el: HTMLElement, p: Person): void {
  if (p.index !== undefined) {
    el.classList.add(`author-${p.index}`)
  } else if (p.color) {
    el.classList.add('author-own')
    el.style.setProperty('--author', p.color)
    el.style.setProperty('--author-ink', luminance(p.color) > 0.18 ? '#000000' : '#ffffff')
  } else {
    el.classList.add('author-0')
  }
}

function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map(at => {
    const c = parseInt(hex.slice(at, at + 2), 16) / 255
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

/** The caret of somebody else, with the name. */
export function renderCaret(user: Record<string, unknown>): HTMLElement {
  const p = person(user) ?? { id: '', name: say('Somebody') }
  const caret = document.createElement('span')
  caret.className = 'caret'
  // Shown by the style sheet, so that the name is no text of the note: it is
  // neither copied with it nor found in it.
  caret.dataset.name = p.name
  caret.dataset.initials = initials(p.name)
  caret.dataset.person = p.id
  paint(caret, p)
  freshen(caret)
  return caret
}

/** How long a caret that moved shows the whole name; then the initials, which
 *  cover less of the line above. */
const NAME_MS = 3_000

const fading = new WeakMap<HTMLElement, ReturnType<typeof setTimeout>>()

function freshen(caret: HTMLElement): void {
  clearTimeout(fading.get(caret))
  caret.dataset.fresh = ''
  fading.set(
    caret,
    setTimeout(() => delete caret.dataset.fresh, NAME_MS),
  )
}

/** Keeps to itself what one says again unchanged: y-tiptap tells where the caret is with each edit that comes, and everybody would be sent that. */
export function sayNewsOnly(awareness: Awareness): void {
  const tell = awareness.setLocalStateField.bind(awareness)
  awareness.setLocalStateField = (field, value) => {
    if (JSON.stringify(awareness.getLocalState()?.[field]) !== JSON.stringify(value)) tell(field, value)
  }
}

/** Shows the whole name at each caret in text that moves. */
export function nameMovingCarets(text: HTMLElement, awareness: Awareness): void {
  awareness.on('change', ({ updated }: { updated: number[] }) => {
    const moved = new Set(updated.map(client => person(awareness.getStates().get(client)?.user)?.id))
    for (const caret of text.querySelectorAll<HTMLElement>('.caret')) {
      if (moved.has(caret.dataset.person)) freshen(caret)
    }
  })
}

/** The attributes of somebody else's selection. */
export function renderSelection(user: Record<string, unknown>): { class: string } {
  const p = person(user)
  return { class: `selection author-${p?.index ?? 0}` }
}
