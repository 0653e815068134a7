// The worklist filters as one types, and the address says what part of it is shown, never what was looked for. With Alt, keys go to
// the filter, and from patient to patient.

import './htmx.ts'

const filter = document.getElementById('q')

function rows(): HTMLTableRowElement[] {
  return Array.from(document.querySelectorAll<HTMLTableRowElement>('#worklist tbody tr'))
}

// go leads to the first thing to do about the patient by rows further.
function go(by: number): void {
  const all = rows()
  const at = all.findIndex(row => row.contains(document.activeElement))
  const to = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)]
  const first = to?.querySelector<HTMLElement>('.notes a, a, button')
  first?.focus()
  first?.scrollIntoView({ block: 'nearest' })
}

document.addEventListener('keydown', event => {
  const typing = event.target === filter && !event.altKey
  if (event.ctrlKey || event.metaKey || (!event.altKey && !typing)) return
  if (event.altKey && event.key === '/') filter?.focus()
  else if (event.key === 'ArrowDown') go(1)
  else if (event.key === 'ArrowUp' && !typing) go(-1)
  else return
  event.preventDefault()
})

document.addEventListener('htmx:after:swap', () => {
  const address = document.getElementById('worklist')?.dataset['address']
  if (address) history.replaceState(history.state, '', address)
})

document.getElementById('worklist-keys')?.removeAttribute('hidden')
