// Tasks in a note: what is to be done, whether it is, who does it, until when.

import { TaskItem as TiptapTaskItem, TaskList as TiptapTaskList } from '@tiptap/extension-list'
import type { Node as ProseNode } from '@tiptap/pm/model'
import type { ViewMutationRecord } from '@tiptap/pm/view'

import { taskCommands } from './blocks.ts'
import { clinicalDate } from './dates.ts'
import { say } from './say.ts'

declare module '@tiptap/core' {
  interface Storage {
    taskItem: { edit(at: number): void }
  }
}

/** What a task says besides its text. `due` is a day, or a minute of one, where the hospital is: 2026-11-23, 2026-11-23T14:00. */
export interface TaskAttrs {
  checked: boolean
  owner: string | null
  ownerName: string | null
  due: string | null
}


// meta says who does it and until when, as elements.
type Spec = [string, Record<string, string>, ...(string | Spec)[]]
function meta({ ownerName, due }: TaskAttrs): Spec[] {
  const parts: Spec[] = []
  if (ownerName) parts.push(['span', { class: 'task-owner' }, ownerName])
  if (due) parts.push(['time', { class: 'task-due', ...(clinicalDate(due) !== due && { datetime: due }) }, say('Due {clinicalDate}', clinicalDate(due))])
  return parts.length > 0 ? [['span', { class: 'task-meta', contenteditable: 'false' }, ...parts]] : []
}

function text(name: keyof TaskAttrs, html: string) {
  return { default: null, keepOnSplit: false, parseHTML: (e: HTMLElement) => e.getAttribute(html), renderHTML: (a: Record<string, unknown>) => ({ [html]: a[name] }) }
}

const done = (checked: unknown) => (checked === true ? say('Done') : say('Not done'))

export const TaskList = TiptapTaskList.extend({
  content: 'taskItem*',
  renderHTML() {
    return ['ul', { class: 'tasks', 'data-type': 'taskList' }, 0]
  },
})

export const TaskItem = TiptapTaskItem.extend({
  content: 'block*',

  /** Opens what the owner and the time of a task are chosen in; the page says how. */
  addStorage() {
    return { edit: (_at: number) => {} }
  },

  addAttributes() {
    return {
      ...this.parent?.(),
      owner: text('owner', 'data-owner'),
      ownerName: text('ownerName', 'data-owner-name'),
      due: text('due', 'data-due'),
    }
  },

  parseHTML() {
    return [{ tag: 'li[data-type="taskItem"]', priority: 51, contentElement: e => e.querySelector<HTMLElement>(':scope > .task-text') ?? e.querySelector('div') ?? e }]
  },

  renderHTML({ node, HTMLAttributes }) {
    const a = node.attrs as TaskAttrs
    return [
      'li',
      { class: 'task', 'data-type': 'taskItem', ...HTMLAttributes },
      ['input', { type: 'checkbox', disabled: '', 'aria-label': done(a.checked), ...(a.checked === true && { checked: '' }) }],
      ['div', { class: 'task-text' }, 0],
      ...meta(a),
    ]
  },

  addKeyboardShortcuts() {
    const command = (id: string) => () => taskCommands.find(c => c.id === id)?.run(this.editor) ?? false
    return { ...this.parent?.(), 'Mod-Enter': command('taskDone'), 'Alt-Enter': command('taskDetails') }
  },

  addNodeView() {
    return ({ node, getPos, editor }) => {
      let current = node
      const dom = document.createElement('li')
      const box = document.createElement('input')
      const content = document.createElement('div')
      dom.className = 'task'
      content.className = 'task-text'
      box.type = 'checkbox'
      box.contentEditable = 'false'
      box.addEventListener('mousedown', e => e.preventDefault()) // the caret stays where it is
      box.addEventListener('change', () => {
        const pos = getPos()
        const checked = box.checked
        box.checked = current.attrs.checked === true // until the note says so
        if (editor.isEditable && pos !== undefined) editor.view.dispatch(editor.state.tr.setNodeAttribute(pos, 'checked', checked))
      })
      const about = document.createElement('button')
      about.type = 'button'
      about.className = 'task-about'
      about.contentEditable = 'false'
      about.tabIndex = -1 // it is in the text: Alt+Enter does the same from there
      about.addEventListener('mousedown', e => e.preventDefault())
      about.addEventListener('click', () => {
        const pos = getPos()
        if (editor.isEditable && pos !== undefined) editor.storage.taskItem.edit(pos)
      })
      dom.append(box, content, about)
      const draw = () => {
        const a = current.attrs as TaskAttrs
        dom.dataset.checked = String(a.checked === true)
        box.checked = a.checked === true
        box.setAttribute('aria-label', done(a.checked))
        const says = meta(a).map(element)
        about.toggleAttribute('data-empty', says.length === 0)
        about.title = say('Owner and due time')
        about.replaceChildren(...(says.length > 0 ? says : [say('Owner, due')]))
      }
      draw()
      return {
        dom,
        contentDOM: content,
        ignoreMutation: (m: ViewMutationRecord) => m.type !== 'selection' && !content.contains(m.target),
        update(to: ProseNode) {
          if (to.type !== current.type) return false
          current = to
          draw()
          return true
        },
      }
    }
  },
}).configure({ nested: true })

function element([tag, attrs, ...children]: Spec): HTMLElement {
  const e = document.createElement(tag)
  for (const [name, value] of Object.entries(attrs)) e.setAttribute(name, value)
  e.append(...children.map(c => (typeof c === 'string' ? c : element(c))))
  return e
}
