// The formatting toolbar: one tab stop, arrow keys within, Escape back to the
// text; Alt+F10 comes here from the text.

import type { Editor } from '@tiptap/core'

import { type Block, blocks, tableCommands, taskCommands } from './blocks.ts'
import { keysHere, tellKey } from './keys.ts'
import { Menu } from './menu.ts'
import { say } from './say.ts'

type Tool = Pick<Block, 'run' | 'on' | 'can'>

const mark = (name: 'bold' | 'italic' | 'underline' | 'strike'): Tool => ({ run: e => e.chain().focus().toggleMark(name).run(), on: e => e.isActive(name) })

const tools: Record<string, Tool> = {
  ...Object.fromEntries([...blocks, ...taskCommands].map(b => [b.id, b])),
  bold: mark('bold'),
  italic: mark('italic'),
  underline: mark('underline'),
  strike: mark('strike'),
  // Whoever has the comments hears it: class Comments.
  comment: { run: e => e.view.dom.dispatchEvent(new Event('comment')) },
  // So does class Suggesting.
  suggest: { run: e => e.view.dom.dispatchEvent(new Event('suggest')), on: e => e.view.dom.dataset.suggesting !== undefined },
  undo: { run: e => e.chain().focus().undo().run(), can: e => e.can().undo() },
  redo: { run: e => e.chain().focus().redo().run(), can: e => e.can().redo() },
}

const table = blocks.filter(b => b.id === 'table').map(b => ({ ...b, label: say('Insert table') }))

/** Wires the toolbar that the server rendered. */
export class Toolbar {
  #bar: HTMLElement
  #buttons: HTMLButtonElement[]
  #editor: Editor
  #menu: Menu | undefined
  #queued = false

  constructor(bar: HTMLElement, editor: Editor) {
    this.#bar = bar
    this.#editor = editor
    this.#buttons = [...bar.querySelectorAll<HTMLButtonElement>('button[data-command]')]
    this.#buttons.forEach((b, i) => {
      b.tabIndex = i === 0 ? 0 : -1
      if (b.dataset.keys) b.title = `${b.dataset.label} (${keysHere(b.dataset.keys)})`
      // Keeps the selection in the text while the pointer is down.
      b.addEventListener('mousedown', e => e.preventDefault())
      b.addEventListener('click', () => this.#run(b))
    })
    const opens = this.#buttons.find(b => b.dataset.command === 'table')
    if (opens) this.#menu = new Menu(opens, editor, [...table, ...tableCommands])
    bar.addEventListener('keydown', e => this.#key(e))
    tellKey('Ctrl+Enter', say('Tick the task off that you are in, or not'))
    tellKey('Tab', say('Next cell of a table; behind the last one a new row'))
    tellKey('Alt+F10', say('Go to the buttons above the text; Esc goes back'))
    editor.on('transaction', () => this.#queue())
    this.#draw()
  }

  show(visible: boolean): void {
    this.#bar.hidden = !visible
  }

  /** Moves the focus into the toolbar; false if it is not shown. */
  focus(): boolean {
    if (this.#bar.hidden) return false
    this.#buttons.find(b => b.tabIndex === 0)?.focus()
    return true
  }

  #run(button: HTMLButtonElement): void {
    const tool = tools[button.dataset.command ?? '']
    if (this.#menu?.button === button) return
    if (!tool || !this.#editor.isEditable || button.getAttribute('aria-disabled') === 'true') return
    tool.run(this.#editor)
  }

  #key(e: KeyboardEvent): void {
    const at = this.#buttons.indexOf(document.activeElement as HTMLButtonElement)
    const last = this.#buttons.length - 1
    const to = { ArrowRight: at === last ? 0 : at + 1, ArrowLeft: at <= 0 ? last : at - 1, Home: 0, End: last }[e.key]
    if (to !== undefined) {
      this.#buttons.forEach((b, i) => (b.tabIndex = i === to ? 0 : -1))
      this.#buttons[to].focus()
    } else if (e.key === 'Escape') {
      this.#editor.view.focus()
    } else {
      return
    }
    e.preventDefault()
  }

  // Once per frame, however many transactions a remote burst brings.
  #queue(): void {
    if (this.#queued) return
    this.#queued = true
    requestAnimationFrame(() => {
      this.#queued = false
      this.#draw()
    })
  }

  #draw(): void {
    if (this.#editor.isDestroyed) return
    for (const b of this.#buttons) {
      const tool = tools[b.dataset.command ?? '']
      if (!tool || b === this.#menu?.button) continue
      if (tool.on) b.setAttribute('aria-pressed', String(tool.on(this.#editor)))
      // aria-disabled keeps the button reachable: focus is not lost when the
      // last change is undone.
      if (tool.can) b.setAttribute('aria-disabled', String(!tool.can(this.#editor)))
    }
  }
}
