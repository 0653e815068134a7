// The unit board, the wall, and the unit's tasks: stream.ts has htmx swap the rows that are sent;
// this says when the stream has gone quiet, since a board that looks current and
// is not is worse than none, and filters and sorts at once.

import { checkLogin } from './logoff.ts'
import { sayCount } from './say.ts'

/** Two pings of web.PingInterval, and a little for the way. */
const STALE_MS = 32_000

/** How often a page without word looks whether its login has ended. */
const ASK_MS = 10_000

/** How long the server is waited for. */
const PATIENCE_MS = 4_000

class Freshness {
  #board: HTMLElement
  #stale: HTMLElement
  #heard = Date.now()
  #askedAt = 0

  constructor(board: HTMLElement, stale: HTMLElement) {
    this.#board = board
    this.#stale = stale
    document.addEventListener('ping', e => this.#ping(e as CustomEvent))
    document.addEventListener('htmx:sse:after:message', () => this.#hear())
    document.addEventListener('htmx:sse:close', () => this.#mark(true))
    document.addEventListener('htmx:sse:error', () => this.#lost())
    document.addEventListener('htmx:sse:before:connection', e => this.#connects(e as CustomEvent))
    // In the background the stream may rest; once back, it has time to resume.
    document.addEventListener('visibilitychange', () => (this.#heard = Date.now()))
    setInterval(() => this.#check(), 1_000)
  }

  #hear(): void {
    this.#heard = Date.now()
    this.#mark(false)
  }

  // The first connection of a page breaks nothing off.
  #connects(e: CustomEvent): void {
    const connection = (e.detail as { connection?: { attempt?: number } } | null)?.connection
    if ((connection?.attempt ?? 0) > 0) this.#lost()
  }

  #lost(): void {
    this.#mark(true)
    void this.#ask()
  }

  // A ping says: what is shown was true at this time.
  #ping(e: CustomEvent): void {
    const at = String((e.detail as { data?: unknown } | null)?.data ?? '')
    const clock = /T(\d\d:\d\d:\d\d)/.exec(at)
    const time = document.querySelector('#board-as-of time')
    if (clock && time) {
      time.setAttribute('datetime', at)
      time.textContent = clock[1]
    }
    this.#hear()
  }

  #check(): void {
    if (document.hidden || Date.now() - this.#heard <= STALE_MS) return
    this.#lost()
  }

  // A network that is away tells nothing of the login; a server that answers does.
  async #ask(): Promise<void> {
    if (Date.now() - this.#askedAt < ASK_MS) return
    this.#askedAt = Date.now()
    if (document.getElementById('logoff')) return checkLogin()
    const answer = await fetch('/login/left', { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MS) }).catch(() => undefined)
    if (answer?.status !== 401) return
    this.#board.replaceChildren()
    location.replace(`/login?next=${encodeURIComponent(location.pathname)}`)
  }

  #mark(stale: boolean): void {
    this.#board.classList.toggle('stale', stale)
    this.#stale.hidden = !stale
  }
}

/** Does what a form asks for without leaving the page, and says what came of that. The list changes by itself, often before the answer is
 *  there: the form may be gone. */
async function atOnce(form: HTMLFormElement, says: HTMLElement): Promise<void> {
  says.textContent = ''
  const asked = { method: 'POST', body: new URLSearchParams([...new FormData(form)] as [string, string][]), headers: { Accept: 'text/plain' } }
  const answer = await fetch(form.action, { ...asked, signal: AbortSignal.timeout(PATIENCE_MS) }).catch(() => undefined)
  says.textContent = answer?.ok ? await answer.text() : (form.dataset.atOnce ?? '')
}

/** Which beds are shown, and in what order: what the form says, in the address. */
class Filter {
  #board: HTMLElement
  #form: HTMLFormElement
  #rows: HTMLElement

  constructor(board: HTMLElement, form: HTMLFormElement, rows: HTMLElement) {
    this.#board = board
    this.#form = form
    this.#rows = rows
    const button = form.querySelector('button')
    if (button) button.hidden = true
    form.addEventListener('change', () => this.#changed())
    form.addEventListener('submit', e => {
      e.preventDefault()
      this.#changed()
    })
    document.addEventListener('htmx:sse:after:message', () => this.#arrange())
    // Whoever changes a bed comes back to the same beds.
    board.addEventListener('click', e => {
      const link = (e.target as Element).closest<HTMLAnchorElement>('a.change')
      if (link) link.search = location.search
    })
    this.#changed()
  }

  #changed(): void {
    const asked = new URLSearchParams()
    for (const [name, value] of new FormData(this.#form)) if (value) asked.set(name, String(value))
    for (const name of ['severity', 'notes', 'sort']) this.#board.dataset[name] = asked.get(name) ?? ''
    for (const name of ['mine', 'isolated', 'home']) this.#board.toggleAttribute(`data-${name}`, asked.has(name))
    const query = asked.toString()
    history.replaceState(null, '', location.pathname + (query ? `?${query}` : '') + location.hash)
    this.#arrange()
  }

  #arrange(): void {
    const rows = [...this.#rows.children] as HTMLElement[]
    const by = this.#board.dataset.sort === 'severity' ? (row: HTMLElement) => Number(row.dataset.order) * 1_000 : () => 0
    const sorted = rows.toSorted((a, b) => by(a) + Number(a.dataset.place) - by(b) - Number(b.dataset.place))
    if (sorted.some((row, i) => row !== rows[i])) {
      const focused = document.activeElement as HTMLElement | null
      this.#rows.append(...sorted)
      if (focused && focused !== document.activeElement) focused.focus({ preventScroll: true })
    }
    const said = document.getElementById('board-left')
    const filters = [...this.#board.attributes].some(a => a.name !== 'data-sort' && a.name.startsWith('data-') && (a.value !== '' || !VALUED.has(a.name)))
    const text = filters ? sayCount(rows.length, '{shown} of {n} bed shown', '{shown} of {n} beds shown', rows.filter(row => row.offsetParent !== null).length) : ''
    if (said && said.textContent !== text) said.textContent = text
  }
}

/** Attributes of the board that filter nothing while they are empty. */
const VALUED = new Set(['data-severity', 'data-notes'])

const board = document.getElementById('board')
const stale = document.getElementById('board-stale')
const form = document.getElementById('board-filter')
const rows = board?.querySelector('tbody')
const says = document.getElementById('board-says')
if (board && stale) new Freshness(board, stale)
if (board && says) {
  board.addEventListener('submit', e => {
    if (!(e.target instanceof HTMLFormElement) || e.target.dataset.atOnce === undefined) return
    e.preventDefault()
    void atOnce(e.target, says)
  })
}
if (board && rows && form instanceof HTMLFormElement) new Filter(board, form, rows)
