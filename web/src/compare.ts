// Two versions in one: n goes to the next change, p to the one before. Without this file, the list of changes leads to each.

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
  if (count) count.textContent = `Change ${at + 1} of ${changes.length}`
}

if (changes.length > 0) document.getElementById('compare-steps')?.removeAttribute('hidden')
document.getElementById('next-change')?.addEventListener('click', () => step(1))
document.getElementById('previous-change')?.addEventListener('click', () => step(-1))

document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey || (event.key !== 'n' && event.key !== 'p')) return
  if (event.target instanceof Element && event.target.closest('input, select, textarea, [contenteditable]')) return
  event.preventDefault()
  step(event.key === 'n' ? 1 : -1)
})
