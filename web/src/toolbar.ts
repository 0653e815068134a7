// The formatting toolbar: one tab stop, arrow keys within, Escape back to the
// text; Alt+F10 comes here from the text.

import type { ChainedCommands, Editor } from '@tiptap/core'

import { keysHere, tellKey } from './keys.ts'

interface Tool {
  run: (chain: ChainedCommands) => ChainedCommands
  /** Whether it is on where the caret stands. */
  on?: (editor: Editor) => boolean
  /** Whether it can be used there; always if missing. */
  can?: (editor: Editor) => boolean
}

function heading(level: 1 | 2 | 3): Tool {
  return { run: c => c.toggleHeading({ level }), on: e => e.isActive('heading', { level }) }
}

const tools: Record<string, Tool> = {
  bold: { run: c => c.toggleBold(), on: e => e.isActive('bold') },
  italic: { run: c => c.toggleItalic(), on: e => e.isActive('italic') },
  underline: { run: c => c.toggleUnderline(), on: e => e.isActive('underline') },
  strike: { run: c => c.toggleStrike(), on: e => e.isActive('strike') },
  heading1: heading(1),
  heading2: heading(2),
  heading3: heading(3),
  bulletList: { run: c => c.toggleBulletList(), on: e => e.isActive('bulletList') },
  orderedList: { run: c => c.toggleOrderedList(), on: e => e.isActive('orderedList') },
  blockquote: { run: c => c.toggleBlockquote(), on: e => e.isActive('blockquote') },
  codeBlock: { run: c => c.toggleCodeBlock(), on: e => e.isActive('codeBlock') },
  horizontalRule: { run: c => c.setHorizontalRule() },
  // Whoever has the comments hears it: class Comments.
  comment: { run: c => c.command(({ view }) => view.dom.dispatchEvent(new Event('comment'))) },
  undo: { run: c => c.undo(), can: e => e.can().undo() },
  redo: { run: c => c.redo(), can: e => e.can().redo() },
}

/** Wires the toolbar that the server rendered. */
export class Toolbar {
  #bar: HTMLElement
  #buttons: HTMLButtonElement[]
  #editor: Editor
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
    bar.addEventListener('keydown', e => this.#key(e))
    tellKey('Alt+F10', 'Go to the buttons above the text; Esc goes back')
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
    if (!tool || !this.#editor.isEditable || button.getAttribute('aria-disabled') === 'true') return
    tool.run(this.#editor.chain().focus()).run()
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
      if (!tool) continue
      if (tool.on) b.setAttribute('aria-pressed', String(tool.on(this.#editor)))
      // aria-disabled keeps the button reachable: focus is not lost when the
      // last change is undone.
      if (tool.can) b.setAttribute('aria-disabled', String(!tool.can(this.#editor)))
    }
  }
}
