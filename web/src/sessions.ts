// The list of sessions filters as one types, and the address says what is shown.

import './htmx.ts'

document.addEventListener('htmx:after:swap', e => {
  const form = e.target
  if (!(form instanceof HTMLFormElement) || form.id !== 'session-filter') return // a stream brought it
  const asked = new URLSearchParams()
  for (const [name, value] of new FormData(form)) {
    if (typeof value === 'string' && value !== '') asked.set(name, value)
  }
  const query = asked.toString()
  history.replaceState(history.state, '', query ? `${form.action}?${query}` : form.action)
})
