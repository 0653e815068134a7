// The dialog in which a task is given to somebody, and its time. The task is known by its element of the shared document:
// while the dialog is open, colleagues move it up and down.

import type { Editor } from '@tiptap/core'
import type { Node } from '@tiptap/pm/model'
import { ySyncPluginKey } from '@tiptap/y-tiptap'

import { colleaguesOf, type Colleague } from './colleagues.ts'
import { say } from './say.ts'
import { byId } from './status.ts'
import type { TaskAttrs } from './tasks.ts'

export class TaskDialog {
  #editor: Editor
  #note: string
  #me: string
  #dialog = byId('task-dialog') as HTMLDialogElement
  #form = this.#dialog.querySelector('form') as HTMLFormElement
  #owner = byId('task-owner') as HTMLSelectElement
  #day = byId('task-day') as HTMLInputElement
  #time = byId('task-time') as HTMLInputElement
  #element: unknown

  constructor(editor: Editor, note: string, me: string) {
    this.#editor = editor
    this.#note = note
    this.#me = me
    editor.storage.taskItem.edit = (at: number) => void this.#open(at)
    const controller = new AbortController()
    const { signal } = controller
    this.#form.addEventListener('submit', e => this.#submit(e), { signal })
    for (const input of [this.#day, this.#time]) input.addEventListener('input', () => this.#day.setCustomValidity(''), { signal })
    this.#dialog.addEventListener('close', () => this.#editor.isDestroyed || this.#editor.commands.focus(), { signal })
    editor.on('destroy', () => {
      controller.abort()
      this.#dialog.close()
      byId('task-what').textContent = ''
    })
  }

  async #open(at: number): Promise<void> {
    const node = this.#editor.state.doc.nodeAt(at)
    if (!node || !this.#editor.isEditable) return
    this.#element = [...this.#mapping()].find(([, shown]) => shown === node)?.[0]
    const { owner, ownerName, due } = node.attrs as TaskAttrs
    byId('task-what').textContent = node.firstChild?.textContent ?? ''
    this.#choices([], owner, ownerName)
    const [day, time] = (due ?? '').split('T')
    this.#day.value = day
    this.#time.value = time ?? ''
    this.#day.dispatchEvent(new Event('input')) // for who says it in words
    this.#said('')
    this.#dialog.showModal()
    try {
      const people = await colleaguesOf(this.#note)
      this.#choices(people, this.#owner.value || owner, this.#owner.selectedOptions[0]?.label ?? ownerName)
    } catch {
      this.#said(say('Your colleagues could not be listed: the server cannot be reached.'))
    }
  }

  #said(text: string): void {
    byId('task-said').textContent = text
  }

  // Oneself first; who has it now is there, whether or not they still work here.
  #choices(people: Colleague[], owner: string | null, ownerName: string | null): void {
    const option = (id: string, name: string, label = name) => Object.assign(document.createElement('option'), { value: id, label, textContent: label, title: name })
    const me = people.find(p => p.id === this.#me)
    const list = [option('', '', say('Nobody yet')), ...(me ? [option(me.id, me.name, say('{name} (you)', me.name))] : [])]
    for (const p of people) if (p !== me) list.push(option(p.id, p.name))
    if (owner && !people.some(p => p.id === owner)) list.push(option(owner, ownerName ?? say('Somebody')))
    this.#owner.replaceChildren(...list)
    this.#owner.value = owner ?? ''
  }

  #submit(e: SubmitEvent): void {
    if (this.#time.value && !this.#day.value) {
      this.#day.setCustomValidity(say('Choose the day as well.'))
      this.#day.reportValidity()
      e.preventDefault()
      return
    }
    const chosen = this.#owner.selectedOptions[0]
    const due = this.#day.value + (this.#time.value && `T${this.#time.value}`)
    const set: Partial<TaskAttrs> = { owner: this.#owner.value || null, ownerName: this.#owner.value ? chosen.title : null, due: due || null }
    const node = this.#mapping().get(this.#element)
    let at: number | undefined
    this.#editor.state.doc.descendants((n, pos) => {
      if (n === node) at = pos
      return at === undefined && !n.isTextblock
    })
    if (at === undefined || !this.#editor.isEditable) {
      e.preventDefault()
      this.#said(this.#editor.isEditable ? say('Somebody has removed this task meanwhile.') : say('The note cannot be edited any more.'))
      return
    }
    const tr = this.#editor.state.tr
    for (const [name, value] of Object.entries(set)) tr.setNodeAttribute(at, name, value)
    this.#editor.view.dispatch(tr)
  }

  #mapping(): Map<unknown, Node> {
    return ySyncPluginKey.getState(this.#editor.state).binding.mapping
  }
}
