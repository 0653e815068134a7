// Two versions in one: Alt+N goes to the next change, Alt+P to the one before; among the changes, n and p alone do, since letters that
// work wherever one is get in the way of who speaks to a browser (WCAG 2.1.4). Without this file, the list of changes leads to each.

import { say } from './say.ts'

const changes = Array.from(document.querySelectorAll<HTMLElement>('[data-change]'))

/** Which one was gone to last; -1: none. */
let at = -1

function step(by: number): void {
  if (changes.length === 0) return
  const focused = changes.indexOf(document.activeElement as HTMLElement)
  if (focused >= 0) at = focused
  at = at < 0 && by < 0 ? changes.length - 1 : (at + by + changes.length) % changes.length
  const change = changes[at]!
  change.focus({ preventScroll: true })
  change.scrollIntoView({ block: 'center' })
  history.replaceState(null, '', `#${change.id}`)
  const count = document.getElementById('compare-count')
  if (count) count.textContent = say('Change {at} of {changes}', at + 1, changes.length)
}

if (changes.length > 0) document.getElementById('compare-steps')?.removeAttribute('hidden')
document.getElementById('next-change')?.addEventListener('click', () => step(1))
document.getElementById('previous-change')?.addEventListener('click', () => step(-1))

document.addEventListener('keydown', event => {
  // With Alt, some keyboards write something else: then it is the key that counts.
  const is = (letter: string) => event.key === letter || (event.altKey && event.code === `Key${letter.toUpperCase()}`)
  if (event.ctrlKey || event.metaKey || (!is('n') && !is('p'))) return
  const among = event.target instanceof Element && event.target.closest('[data-change], #compare-steps') !== null
  if (!event.altKey && !among) return
  event.preventDefault()
  step(is('n') ? 1 : -1)
})
