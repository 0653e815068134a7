// The sheet of a page's keys, on "?": made anew of the list by which they work whenever it is opened.

import { allKeys, keysHere, onKey, takesText, tellKey, type Key } from './keys.ts'
import { say } from './say.ts'

/** Where the browser keeps that "?" alone opens nothing: WCAG 2.2, 2.1.4, asks for that of signs, which may be spoken or hit by accident. */
const MARK = 'keysheet-mark'

const button = document.getElementById('keys-toggle')
let sheet: HTMLDialogElement | undefined

/** What buttons say of keys that reach them. */
function ofButtons(): Key[] {
  return [...document.querySelectorAll<HTMLElement>('[data-keys]')]
    .map(e => ({ keys: e.dataset.keys ?? '', does: e.dataset.label ?? e.textContent ?? '' }))
    .filter(k => k.keys !== '')
}

function open(): void {
  sheet?.remove()
  sheet = element('dialog', 'dialog keysheet') as HTMLDialogElement
  sheet.setAttribute('aria-labelledby', 'keys-heading')
  const box = element('div')
  const head = element('header')
  const title = element('h2')
  title.id = 'keys-heading'
  title.textContent = say('Keys')
  head.append(title)
  box.append(head, list(say('On this page'), allKeys()))
  const buttons = ofButtons()
  if (buttons.length > 0) box.append(list(say('Formatting'), buttons))
  const foot = element('footer')
  const close = element('button', 'btn') as HTMLButtonElement
  close.type = 'button'
  close.textContent = say('Close')
  close.autofocus = true
  close.addEventListener('click', () => sheet?.close())
  foot.append(markSwitch(), close)
  box.append(foot)
  sheet.append(box)
  sheet.addEventListener('close', () => sheet?.remove())
  document.body.append(sheet)
  sheet.showModal()
}

function markOpens(): boolean {
  try {
    return localStorage.getItem(MARK) !== 'off'
  } catch {
    return true // no storage
  }
}

function markSwitch(): HTMLElement {
  const label = element('label', 'label')
  const box = element('input', 'input') as HTMLInputElement
  box.type = 'checkbox'
  box.id = 'keysheet-mark'
  box.checked = markOpens()
  box.addEventListener('change', () => {
    try {
      localStorage.setItem(MARK, box.checked ? 'on' : 'off')
    } catch {
      // No storage: it stays as it is.
      box.checked = true
    }
  })
  label.append(box, say('? alone opens this list'))
  return label
}

function list(name: string, keys: Key[]): HTMLElement {
  const part = element('section')
  const title = element('h3')
  title.textContent = name
  const all = element('dl')
  for (const k of keys) {
    const row = element('div')
    const pressed = element('dt')
    const kbd = element('kbd')
    kbd.textContent = keysHere(k.keys)
    pressed.append(kbd)
    const does = element('dd')
    does.textContent = k.does
    row.append(pressed, does)
    all.append(row)
  }
  part.append(title, all)
  return part
}

function element(tag: string, name = ''): HTMLElement {
  const e = document.createElement(tag)
  if (name) e.className = name
  return e
}

onKey('?', say('Show the keys of this page, outside of text'), e => {
  if (!markOpens() || takesText(e.target) || document.querySelector('dialog[open]')) return false
  open()
  return true
})
onKey('Ctrl+/', say('The same, in text as well'), () => {
  if (!document.querySelector('dialog[open]')) open()
})
tellKey('Tab', say('Go to the next thing that can be used; Shift+Tab: the one before'))
if (button) {
  button.hidden = false
  button.addEventListener('click', open)
}
