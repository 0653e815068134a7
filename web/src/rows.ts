// A list that has a filter: with Alt, keys go to the filter, and from row to row.

/** Has the keys go to what `to` finds first in each of the rows that there are then. */
export function walkRows(filter: HTMLElement | null, rows: () => HTMLTableRowElement[], to: string): void {
  const go = (by: number) => {
    const all = rows()
    const at = all.findIndex(row => row.contains(document.activeElement))
    const first = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)]?.querySelector<HTMLElement>(to)
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
  document.getElementById('rows-keys')?.removeAttribute('hidden')
}
