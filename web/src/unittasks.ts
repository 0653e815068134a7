// Which of a unit's tasks are shown: what the form says, at once, and in the address, but for what is typed, which is often a name.
// stream.ts has the list current, and board.ts says when it is not.

import { walkRows } from './rows.ts'
import { sayCount } from './say.ts'

const byId = (id: string) => document.getElementById(id) as HTMLElement // the server rendered each of them
const form = byId('tasks-filter') as HTMLFormElement
const words = byId('q') as HTMLInputElement

function rows(): HTMLTableRowElement[] {
  return [...document.querySelectorAll<HTMLTableRowElement>('#unit-tasks tbody tr')]
}

// shows is TaskFilter.shows of the server, with what is typed.
function shows(row: HTMLTableRowElement, asked: URLSearchParams, typed: string[]): boolean {
  const who = asked.get('who')
  if (who && row.dataset[who] === undefined) return false
  if (asked.has('bed') && row.dataset.bed !== asked.get('bed')) return false
  if (asked.has('overdue') && row.dataset.overdue === undefined) return false
  const text = [...row.cells].slice(0, -1).map(cell => cell.textContent).join(' ').toLowerCase()
  return typed.every(word => text.includes(word))
}

function show(): void {
  const asked = new URLSearchParams()
  for (const [name, value] of new FormData(form)) if (value) asked.set(name, String(value))
  const typed = words.value.toLowerCase().split(/\s+/).filter(Boolean)
  const all = rows()
  for (const row of all) row.hidden = !shows(row, asked, typed)
  for (const table of document.querySelectorAll('#unit-tasks table')) {
    const box = table.parentElement as HTMLElement
    box.hidden = !table.querySelector('tbody tr:not([hidden])')
    const head = box.previousElementSibling
    if (head instanceof HTMLHeadingElement) head.hidden = box.hidden
  }
  const left = all.filter(row => !row.hidden).length
  const text = asked.size + typed.length > 0 ? sayCount(all.length, '{shown} of {n} task shown', '{shown} of {n} tasks shown', left) : ''
  if (byId('tasks-left').textContent !== text) byId('tasks-left').textContent = text
  const query = asked.toString()
  history.replaceState(null, '', location.pathname + (query ? `?${query}` : '') + location.hash)
}

for (const type of ['change', 'input']) form.addEventListener(type, show)
form.addEventListener('submit', e => {
  e.preventDefault()
  show()
})
document.addEventListener('htmx:sse:after:message', show)
byId('tasks-words').hidden = false
const button = form.querySelector('button')
if (button) button.hidden = true
walkRows(words, () => rows().filter(row => !row.hidden), 'a, button')
show()
