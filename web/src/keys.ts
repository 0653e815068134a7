// The keys of a page: one list, by which they work, and which the sheet on "?" shows.

/** A key, written as people read it: "Ctrl+Shift+8", "F2", "?". */
export interface Key {
  keys: string
  does: string
}

interface Bound extends Key {
  run: (e: KeyboardEvent) => boolean | void
}

const bound: Bound[] = []
const told: Key[] = []

/** Has a key do something wherever the page has the focus, unless run returns false: then it is the browser's. Returns what undoes it. */
export function onKey(keys: string, does: string, run: (e: KeyboardEvent) => boolean | void): () => void {
  const one = { keys, does, run }
  bound.push(one)
  return () => {
    const at = bound.indexOf(one)
    if (at >= 0) bound.splice(at, 1)
  }
}

/** Has the sheet name a key that something else sees to; once, however often it is told. */
export function tellKey(keys: string, does: string): void {
  if (!told.some(k => k.keys === keys && k.does === does)) told.push({ keys, does })
}

/** All keys of the page that are on now. */
export function allKeys(): Key[] {
  return [...bound, ...told]
}

/** Whether what was pressed is the key. */
export function fits(e: Pick<KeyboardEvent, 'key' | 'code' | 'altKey' | 'ctrlKey' | 'metaKey' | 'shiftKey'>, keys: string): boolean {
  const parts = keys.split('+')
  const key = (parts.pop() ?? '').toLowerCase()
  if (e.altKey !== parts.includes('Alt') || (e.ctrlKey || e.metaKey) !== parts.includes('Ctrl')) return false
  // Signs are where a keyboard has them: "?" takes Shift on most, "/" on some.
  if (/^([a-z]|.{2,})$/.test(key) && e.shiftKey !== parts.includes('Shift')) return false
  // With Alt, letters write something else on some keyboards.
  return e.key.toLowerCase() === key || (e.altKey && e.code.toLowerCase() === `key${key}`)
}

/** Whether what is typed there is text. */
export function takesText(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('input, select, textarea, [contenteditable="true"]') !== null
}

/** Keys as they are on this machine's keyboard. */
export function keysHere(keys: string): string {
  return /Mac|iPhone|iPad/.test(globalThis.navigator?.platform ?? '') ? keys.replace('Ctrl+', '⌘').replace('Shift+', '⇧').replace('Alt+', '⌥') : keys
}

globalThis.document?.addEventListener('keydown', e => {
  if (e.defaultPrevented || e.isComposing || e.getModifierState('AltGraph')) return
  for (const one of [...bound]) {
    if (fits(e, one.keys) && one.run(e) !== false) {
      e.preventDefault()
      return
    }
  }
})
