// On every page: the switch between dark and light, the sheet of keys, the time
// on paper, and the end of a login that nobody uses.

import './keysheet.ts'
import './logoff.ts'
import { say } from './say.ts'

const button = document.getElementById('theme-toggle')
const root = document.documentElement

function draw(): void {
  button?.setAttribute('aria-pressed', String(root.classList.contains('dark')))
}

if (button) {
  button.hidden = false
  button.addEventListener('click', () => {
    const dark = root.classList.toggle('dark')
    try {
      localStorage.setItem('theme', dark ? 'dark' : 'light')
    } catch {
      // No storage: the choice lasts for this page.
    }
    draw()
  })
  draw()
}

// A page may be open for hours before it is printed.
window.addEventListener('beforeprint', () => {
  const printed = document.getElementById('printed-at')
  if (!printed) return
  const t = new Date()
  const two = (n: number) => String(n).padStart(2, '0')
  const month = say('Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec').split(' ')[t.getMonth()]
  // The dialog may stop this page before the answer comes: keepalive has the browser send it all the same.
  if (document.getElementById('note')) void fetch(`${location.pathname}/printed`, { method: 'POST', keepalive: true }).catch(() => undefined)
  printed.setAttribute('datetime', t.toISOString())
  printed.textContent = `${two(t.getDate())}-${month}-${t.getFullYear()} ${two(t.getHours())}:${two(t.getMinutes())}`
})

// Without this, a browser's own command prints.
const printNow = document.getElementById('print-now')
if (printNow) {
  printNow.hidden = false
  printNow.addEventListener('click', () => window.print())
}
