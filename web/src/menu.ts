// A menu of commands that a button of the toolbar opens. Arrow keys move in it, Escape goes back to its button.

import type { Editor } from '@tiptap/core'

import type { Block } from './blocks.ts'

export class Menu {
  readonly button: HTMLButtonElement
  #editor: Editor
  #box = document.createElement('div')
  #items: [HTMLButtonElement, Block][]

  constructor(button: HTMLButtonElement, editor: Editor, commands: Block[]) {
    this.button = button
    this.#editor = editor
    button.setAttribute('aria-haspopup', 'menu')
    button.setAttribute('aria-expanded', 'false')
    this.#box.className = 'block-menu'
    this.#box.popover = 'auto'
    this.#box.setAttribute('role', 'menu')
    this.#box.setAttribute('aria-label', button.dataset.label ?? '')
    this.#items = commands.map(command => [this.#item(command), command])
    this.#box.append(...this.#items.map(([item]) => item))
    document.body.append(this.#box)
    button.addEventListener('click', () => this.#open())
    button.addEventListener('keydown', e => {
      if (e.key !== 'ArrowDown') return
      e.preventDefault()
      e.stopPropagation()
      this.#open()
    })
    this.#box.addEventListener('keydown', e => this.#key(e))
    this.#box.addEventListener('toggle', e => button.setAttribute('aria-expanded', String(e.newState === 'open')))
    editor.on('destroy', () => this.#box.remove())
  }

  #item(command: Block): HTMLButtonElement {
    const item = document.createElement('button')
    item.type = 'button'
    item.setAttribute('role', 'menuitem')
    item.dataset.command = command.id
    item.tabIndex = -1
    item.textContent = command.label
    item.addEventListener('click', () => {
      if (item.getAttribute('aria-disabled') === 'true') return
      this.#box.hidePopover()
      if (this.#editor.isEditable) command.run(this.#editor)
    })
    return item
  }

  #open(): void {
    for (const [item, command] of this.#items) item.setAttribute('aria-disabled', String(command.can?.(this.#editor) === false))
    this.#box.showPopover()
    const at = this.button.getBoundingClientRect()
    this.#box.style.left = `${Math.max(0, Math.min(at.left, innerWidth - this.#box.offsetWidth))}px`
    this.#box.style.top = `${at.bottom + 2}px`
    this.#items.find(([item]) => item.getAttribute('aria-disabled') !== 'true')?.[0].focus()
  }

  #key(e: KeyboardEvent): void {
    const items = this.#items.map(([item]) => item)
    const at = items.indexOf(document.activeElement as HTMLButtonElement)
    const last = items.length - 1
    const to = { ArrowDown: at === last ? 0 : at + 1, ArrowUp: at <= 0 ? last : at - 1, Home: 0, End: last }[e.key]
    if (to !== undefined) items[to].focus()
    else if (e.key === 'Escape' || e.key === 'Tab') {
      this.#box.hidePopover()
      this.button.focus()
    } else return
    e.preventDefault()
    e.stopPropagation()
  }
}
