// The worklist filters as one types, and the address says what part of it is shown, never what was looked for. With Alt, keys go to
// the filter, and from patient to patient: to the first thing to do about each.

import './htmx.ts'
import { walkRows } from './rows.ts'

document.addEventListener('htmx:after:swap', () => {
  const address = document.getElementById('worklist')?.dataset['address']
  if (address) history.replaceState(history.state, '', address)
})

walkRows(document.getElementById('q'), () => [...document.querySelectorAll<HTMLTableRowElement>('#worklist tbody tr')], '.notes a, a, button')
